// Runs the bundled program as the binary's boot file does, and keeps V8's code cache of what ran.
//
//     node .tools/train-code-cache.cjs PROGRAM CACHE ARGS…
//
// build.mjs lets the demo run this way: every command of the tour comes through here, and the one
// that serves credentials, which uses the most of the program, leaves its cache behind.

const { readFileSync, writeFileSync } = require('node:fs')
const { Script } = require('node:vm')

const [node, self, program, cache, ...args] = process.argv
process.argv = [node, node, ...args]
const script = new Script(readFileSync(program, 'utf8'), { filename: 'sentinel.cjs' })
if (args.includes('--server') && args.includes('dev')) {
  process.on('exit', () => writeFileSync(cache, script.createCachedData()))
}
script.runInThisContext()(require, [node, self, program, cache])
