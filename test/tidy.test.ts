import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { suite, test } from 'node:test'

// What each room may import: from inside the house by prefix, from outside by pattern, with the
// reason for every package. A room within a room obeys both.
const pure = ['domain', 'errors.ts']
const adapter = [...pure, 'ports', 'near-miss.ts']
const ROOMS: Record<string, { inside: string[]; outside?: RegExp }> = {
  domain: { inside: pure },
  ports: { inside: ['domain', 'ports'] },
  app: { inside: ['app', ...pure, 'ports'] },
  audit: { inside: ['audit', ...adapter], outside: /^node:/ },
  aws: { inside: ['aws', ...adapter], outside: /^(node:|@aws-sdk\/|@smithy\/)/ },
  child: { inside: ['child', ...adapter], outside: /^node:/ },
  demo: { inside: ['demo', 'domain'], outside: /^(node:|@aws-sdk\/client-sts$)/ },
  documents: { inside: ['documents', ...adapter], outside: /^(node:|yaml$|zod$)/ },
  notify: { inside: ['notify', ...adapter], outside: /^node:/ },
  stores: { inside: ['stores', ...adapter], outside: /./ },
  'stores/memory': { inside: ['stores', ...adapter] },
  'stores/sqlite': { inside: ['stores', ...adapter], outside: /^node:/ },
  'stores/dynamodb': {
    inside: ['stores', ...adapter],
    outside: /^(node:crypto|@aws-sdk\/client-dynamodb)$/,
  },
  server: { inside: ['server', 'app', ...adapter], outside: /^node:/ },
  cli: {
    inside: ['app', 'audit-deps.ts', 'cli', 'deps.ts', 'near-miss.ts', 'ports', ...pure],
    outside: /^(node:|cac$|@inquirer\/(confirm|input)$)/,
  },
  'cli/commands': {
    inside: ['app', 'audit-deps.ts', 'cli', 'deps.ts', 'near-miss.ts', ...pure],
  },
}

const sources = globSync('src/**/*.ts').map((path) => ({ path, text: readFileSync(path, 'utf8') }))

function imports(text: string): string[] {
  const statements = [
    /^(?:import|export)\b[^']*?\bfrom\s+'([^']+)'/gm,
    /^import '([^']+)'/gm,
    /\bimport\(\s*'([^']+)'\s*\)/g,
  ]
  return statements.flatMap((form) => [...text.matchAll(form)].map(([, specifier]) => specifier!))
}

suite('tidy', () => {
  for (const [room, allowed] of Object.entries(ROOMS)) {
    test(`${room} imports only what it may`, () => {
      const files = sources.filter(({ path }) => path.startsWith(`src/${room}/`))
      assert.ok(files.length > 0, `there is no room ${room}`)
      for (const { path, text } of files) {
        for (const specifier of imports(text)) {
          const isOurs = specifier.startsWith('.')
          const target = join(dirname(path), specifier).split(sep).slice(1).join('/')
          const isAllowed = isOurs
            ? allowed.inside.some((prefix) => target === prefix || target.startsWith(`${prefix}/`))
            : allowed.outside?.test(specifier)
          assert.ok(isAllowed, `${path} imports ${specifier}`)
        }
      }
    })
  }

  test('only compose.ts and the edges name implementations', () => {
    const implementations = /^(audit|aws|child|demo|documents|notify|server|stores)\//
    const mayName = /^src\/(main\.ts|compose(\.ts|\/))/
    for (const { path, text } of sources.filter(({ path }) => !mayName.test(path))) {
      const room = path.split('/')[1]!
      for (const specifier of imports(text).filter((name) => name.startsWith('.'))) {
        const target = join(dirname(path), specifier).split(sep).slice(1).join('/')
        const isForeign = implementations.test(target) && !target.startsWith(`${room}/`)
        assert.ok(!isForeign || room === 'demo', `${path} imports ${specifier}`)
      }
    }
  })

  test('only the AWS SDK rooms import the SDK', () => {
    for (const { path, text } of sources.filter(
      ({ path }) => !/^src\/(aws|demo|stores\/dynamodb)\//.test(path),
    )) {
      for (const specifier of imports(text))
        assert.doesNotMatch(specifier, /^@(aws-sdk|smithy)\//, path)
    }
  })

  test('only compose.ts reaches the stand-in AWS', () => {
    for (const { path, text } of sources.filter(({ path }) => !path.startsWith('src/demo/'))) {
      if (path === 'src/compose.ts') continue
      assert.doesNotMatch(imports(text).join('\n'), /^\.{1,2}(\/\.\.)*\/demo\//m, path)
    }
  })

  test('only the edges touch the process, the console and the clock', () => {
    const edges =
      /^src\/(main|boot|compose|compose\/.*|clean-start|cli\/run|child\/.*|demo\/.*)\.ts$/
    for (const { path, text } of sources.filter(({ path }) => !edges.test(path))) {
      assert.doesNotMatch(code(text), /\bprocess\.|\bconsole\.|Date\.now\(|Math\.random/, path)
    }
  })

  test('nothing but SEA-safe syntax reaches the bundle', () => {
    for (const { path, text } of sources) {
      assert.doesNotMatch(code(text), /\bimport\.meta\b|^await /m, path)
    }
  })

  test('every file fits in a sitting', () => {
    for (const { path, text } of sources) {
      assert.ok(text.split('\n').length <= 301, `${path} is longer than 300 lines`)
      // Biome holds the code to it, and leaves alone what cannot be broken.
      assert.doesNotMatch(text, /^(?= *(?:\*|\/[/*])).{101}/m, `${path}: a comment past column 100`)
    }
  })

  test('no lock file says where packages were downloaded from', () => {
    assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved": "http/)
  })
})

/** A file without its comments. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}
