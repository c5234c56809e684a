/**
 * RFC 6962's tree over the lines of a log (§ 2.1), grown a line at a time: only the roots of its
 * full subtrees are kept, one a bit of the number of lines.
 *
 * @module
 */
import { hash } from 'node:crypto'

/** A full subtree: over 2^height lines. */
interface Subtree {
  readonly height: number
  readonly root: string
  /** The line whose path is looked for is in it. */
  readonly holdsTarget: boolean
}

const NODE = Buffer.alloc(1 + 32 + 32, 1)

/** The tree over the lines added so far. */
export class MerkleTree {
  #size = 0
  /** From the left: each larger than those after it. */
  readonly #subtrees: Subtree[] = []
  readonly #path: string[] = []
  #leaf = Buffer.alloc(8 * 1024)

  /** How many lines there are. */
  get size(): number {
    return this.#size
  }

  /** Adds a line, without its newline. `target`: {@link path} is to be its. */
  add(line: Buffer, role: 'target' | 'other' = 'other'): void {
    let subtree: Subtree = { height: 0, root: this.#leafOf(line), holdsTarget: role === 'target' }
    for (let last = this.#subtrees.at(-1); last?.height === subtree.height; ) {
      this.#subtrees.pop()
      subtree = this.#join(last, subtree, this.#path)
      last = this.#subtrees.at(-1)
    }
    this.#subtrees.push(subtree)
    this.#size++
  }

  /** The root over all lines, in hex. */
  root(): string {
    return this.#fold([])?.root ?? hash('sha256', '')
  }

  /** The path of the target, from the leaf upwards. */
  path(): readonly string[] {
    const path = [...this.#path]
    this.#fold(path)
    return path
  }

  /** Joins what is not full from the right, as the tree of so many lines does. */
  #fold(path: string[]): Subtree | undefined {
    return this.#subtrees.reduceRight<Subtree | undefined>(
      (right, left) => (right ? this.#join(left, right, path) : left),
      undefined,
    )
  }

  #join(left: Subtree, right: Subtree, path: string[]): Subtree {
    if (left.holdsTarget) path.push(right.root)
    if (right.holdsTarget) path.push(left.root)
    NODE.write(left.root, 1, 'hex')
    NODE.write(right.root, 33, 'hex')
    return {
      height: left.height + 1,
      root: hash('sha256', NODE),
      holdsTarget: left.holdsTarget || right.holdsTarget,
    }
  }

  /** One hash of one buffer is twice as fast as one that is fed a byte and a line. */
  #leafOf(line: Buffer): string {
    if (this.#leaf.length <= line.length) this.#leaf = Buffer.alloc(line.length + 1)
    line.copy(this.#leaf, 1)
    return hash('sha256', this.#leaf.subarray(0, line.length + 1))
  }
}
