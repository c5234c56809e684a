// Makes dist/sentinel, the one file that users get:
//   1. esbuild bundles src/main.ts into dist/sentinel.cjs (CommonJS, as a single executable needs),
//   2. a run of the demo trains the code cache, so that starting does not mean compiling,
//   3. pkg, in its SEA mode, bakes src/boot.ts with both as assets into a copy of the pinned Node.
// Nothing is downloaded.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import packageJson from './package.json' with { type: 'json' }

const options = {
  bundle: true,
  platform: 'node',
  target: 'node26',
  format: 'cjs',
  minify: true,
  // ES modules first: CommonJS builds of the SDK cannot be shaken, and double the start-up time.
  mainFields: ['module', 'main'],
  // `import()` becomes a lazy `require`: `import('node:http')` alone costs 30 ms, `require` 5.
  supported: { 'dynamic-import': false },
  define: {
    __VERSION__: JSON.stringify(packageJson.version),
    __COMMIT__: JSON.stringify(commit()),
  },
  legalComments: 'linked',
  logLevel: 'warning',
}
const parts = resolve('dist/parts')
mkdirSync(parts, { recursive: true })

const { metafile } = await build({
  ...options,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/sentinel.cjs',
  define: {
    __VERSION__: JSON.stringify(packageJson.version),
    __COMMIT__: JSON.stringify(commit()),
  },
  metafile: true,
})
writeFileSync('dist/meta.json', JSON.stringify(metafile))
await build({ ...options, entryPoints: ['src/boot.ts'], outfile: `${parts}/boot.cjs` })

// What the boot file runs: a function of what a script cannot see, `require` and its own name.
const bundle = readFileSync('dist/sentinel.cjs', 'utf8')
writeFileSync(`${parts}/program.js`, `(function (require, SELF) {${bundle}\n})`)
execFileSync(
  process.execPath,
  ['.tools/train-code-cache.cjs', `${parts}/program.js`, `${parts}/code-cache`, 'demo'],
  { stdio: ['ignore', 'ignore', 'inherit'] },
)

const { default: sea } = createRequire(import.meta.url)('@yao-pkg/pkg/lib-es5/sea.js')
const platform = { darwin: 'macos', win32: 'win' }[process.platform] ?? process.platform
const output = `dist/sentinel${process.platform === 'win32' ? '.exe' : ''}`
const [major] = process.versions.node.split('.')
await sea(`${parts}/boot.cjs`, {
  // Absolute: pkg works in a temporary directory. Renamed when done: it may be running.
  targets: [
    { nodeRange: `node${major}`, platform, arch: process.arch, output: resolve(`${output}.new`) },
  ],
  nodePath: process.execPath,
  signature: true,
  seaConfig: {
    assets: { program: `${parts}/program.js`, 'code-cache': `${parts}/code-cache` },
    useCodeCache: true,
    disableExperimentalSEAWarning: true,
    // No debugger by a signal, no prototype games, no environment in crash reports, no chatter;
    // and NODE_OPTIONS is not read at all. See SECURITY.md.
    execArgv: [
      '--disable-sigusr1',
      '--disable-proto=delete',
      '--report-exclude-env',
      '--no-warnings',
    ],
    execArgvExtension: 'none',
  },
})
renameSync(`${output}.new`, output)
rmSync(parts, { recursive: true })

for (const path of ['dist/sentinel.cjs', output]) {
  console.log(`${path} ${(statSync(path).size / 1024 / 1024).toFixed(1)} MiB`)
}

/** The commit that is built, so that a binary can say what it is. */
function commit() {
  try {
    const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? '+changes' : '')
  } catch {
    return 'unknown'
  }
}
