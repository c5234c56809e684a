import {
  appendFileSync,
  existsSync,
  mkdtempDisposableSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rotatedName } from '../../src/audit/rotated-name.ts'
import { toTimestamp } from '../../src/domain/time.ts'
import { NOON } from '../fixtures/policies.ts'

/** How much of a record is written that is only begun. */
const BEGUN = 20

/** Files of a log as its writers leave them, made by hand. */
export class FilesOfALog implements Disposable {
  readonly #directory = mkdtempDisposableSync(join(tmpdir(), 'sentinel-ship-'))
  readonly path = join(this.#directory.path, 'decisions.jsonl')
  /** Every line that was ended, in order. */
  readonly written: string[] = []
  #rotations = 0
  #half = ''

  /** Writes the next record, in whole; a line that was begun is ended as torn. */
  append(extra = ''): string {
    if (this.#half !== '') {
      this.#write('\n')
      this.#tear()
    }
    return this.#end(this.#nextRecord(extra))
  }

  /** Writes the beginning of the next record, or the rest of one that was begun. */
  appendHalf(): void {
    if (this.#half !== '') return void this.#end(this.#half)
    this.#half = this.#nextRecord()
    this.#write(this.#half.slice(0, BEGUN))
  }

  /** Takes the name under which the file is moved aside next: with an empty file. */
  prepareRotation(): void {
    writeFileSync(rotatedName(this.path, NOON + this.#rotations), '', { mode: 0o600 })
  }

  /** Moves the file aside; what was begun in it stays as it is. Returns its new path. */
  rotate(): string {
    const moved = rotatedName(this.path, NOON + this.#rotations)
    this.#rotations += 1
    renameSync(this.path, moved)
    if (this.#half !== '') this.#tear()
    return moved
  }

  /** Compresses a file that was moved aside. */
  compress(moved: string): void {
    if (!existsSync(moved)) return
    writeFileSync(`${moved}.tmp`, gzipSync(readFileSync(moved)), { mode: 0o600 })
    renameSync(`${moved}.tmp`, `${moved}.gz`)
    unlinkSync(moved)
  }

  get hasLive(): boolean {
    return existsSync(this.path)
  }

  [Symbol.dispose](): void {
    this.#directory.remove()
  }

  #nextRecord(extra = ''): string {
    const seq = this.written.length + 1
    const time = toTimestamp(NOON + seq)
    return `{"v":1,"stream":"aaaaaaaaaaaaaaaaaaaa","seq":${seq},"time":"${time}","reason":"${extra}"}`
  }

  #tear(): void {
    this.written.push(this.#half.slice(0, BEGUN))
    this.#half = ''
  }

  #end(record: string): string {
    this.#write(`${this.#half === '' ? record : record.slice(BEGUN)}\n`)
    this.#half = ''
    this.written.push(record)
    return record
  }

  #write(text: string): void {
    appendFileSync(this.path, text, { mode: 0o600 })
  }
}
