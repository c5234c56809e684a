import type { LoggedSession } from '../ports/log-archive.ts'
import type { PlacedLine } from './parse-record.ts'

/** How many hosts a report names. */
const HOSTS_MAX = 1000

/** What a log tells of where and when it was written, besides its decisions. */
export class LogFacts {
  readonly #hosts = new Set<string>()
  /** By stream and id: a record that is taken back is often written anew. */
  readonly #sessions = new Map<string, LoggedSession>()
  #from: string | undefined
  #to: string | undefined

  take({ stream, type, time, host, session_id: id, session_store: store }: PlacedLine): void {
    if (typeof time === 'string') {
      this.#from ??= time
      this.#to = time
    }
    if (typeof host === 'string' && this.#hosts.size < HOSTS_MAX) this.#hosts.add(host)
    if (type !== 'session.created' || typeof time !== 'string') return
    if (typeof id !== 'string' || typeof store !== 'string') return
    this.#sessions.set(`${stream} ${id}`, { stream, id, store, startedAt: time })
  }

  summary() {
    return {
      sessions: [...this.#sessions.values()],
      hosts: [...this.#hosts],
      ...(this.#from !== undefined && { from: this.#from }),
      ...(this.#to !== undefined && { to: this.#to }),
    }
  }
}
