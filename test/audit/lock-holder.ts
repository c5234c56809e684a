/**
 * A process that takes the lock at a path, says whether it got it, and keeps it until it is killed:
 * `lock-holder.ts PATH`.
 *
 * @module
 */
import { writeSync } from 'node:fs'
import { tryLock } from '../../src/audit/process-lock.ts'

const [path = ''] = process.argv.slice(2)
using lock = tryLock(path, { uid: process.getuid?.() })
writeSync(1, lock ? 'held\n' : 'refused\n')
// A timer keeps the process, and with it the lock.
if (lock) await new Promise((resolve) => setTimeout(resolve, 60_000))
