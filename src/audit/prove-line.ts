import type { InclusionPath, LineLocation } from '../ports/log-archive.ts'
import { type LogFileSelection, openInOrder } from './archive-files.ts'
import { MerkleTree } from './merkle.ts'
import { linesOf, type ReadingOptions, readChunks } from './read-lines.ts'

interface ProvingOptions extends ReadingOptions {
  /** Over how many lines the tree is; over all where that is left out. */
  readonly lines?: number | undefined
}

/** The path of a line to the root over the first lines; `undefined` when it is none of them. */
export async function proveLine(
  files: LogFileSelection,
  at: LineLocation,
  { lines = Number.POSITIVE_INFINITY, ...options }: ProvingOptions,
): Promise<InclusionPath | undefined> {
  const tree = new MerkleTree()
  let found: Pick<InclusionPath, 'line' | 'index'> | undefined
  for await (const file of openInOrder(files)) {
    if (tree.size === lines) break
    const target = file.path === at.path ? at.line : undefined
    for await (const chunk of readChunks(file, options)) {
      for (const { bytes, number } of linesOf(chunk)) {
        if (tree.size === lines) break
        if (number === target) found = { line: bytes.toString('latin1'), index: tree.size }
        tree.add(bytes, number === target ? 'target' : 'other')
      }
    }
  }
  const isThere = found && (tree.size === lines || lines === Number.POSITIVE_INFINITY)
  return isThere && found
    ? { ...found, lines: tree.size, root: tree.root(), path: tree.path() }
    : undefined
}
