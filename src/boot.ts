/**
 * The first thing that runs in the binary: it starts the program, which lies beside it as an asset
 * with the code cache that `build.mjs` trained. Node's own cache for single executables holds only
 * what runs while it is made, which is next to nothing (docs/adr/0003 has the
 * figures).
 *
 * @module
 */
import { getAsset, getRawAsset } from 'node:sea'
import { Script } from 'node:vm'
import { versionLine } from './version.ts'

if (process.argv.length === 3 && process.argv[2] === '--version') {
  // Asked often, by scripts and installers, and answered without the program.
  process.stdout.write(`${versionLine(process.version)}\n`)
} else {
  startProgram()
}

function startProgram(): void {
  const script = new Script(getAsset('program', 'utf8'), {
    filename: 'sentinel.cjs',
    // Wrong for this runtime, it is ignored, and everything is compiled as usual.
    cachedData: Buffer.from(getRawAsset('code-cache') as ArrayBuffer),
  })
  const start = script.runInThisContext() as (
    require: NodeJS.Require,
    self: readonly string[],
  ) => void
  start(require, [process.execPath])
}
