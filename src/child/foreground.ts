import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * Whether this process is in the foreground group of its terminal now: then what is typed there
 * (Ctrl-C, Ctrl-\) reaches a child of the same group without our help. No terminal, no foreground;
 * what cannot be learned counts as that too, so that a signal is rather sent twice than lost.
 * A Windows console always sends Ctrl-C to every process on it.
 */
export function isInForeground(): boolean {
  if (process.platform === 'win32') return true
  const groups = process.platform === 'linux' ? readGroups() : askForGroups()
  return groups !== undefined && groups.own === groups.foreground
}

interface ProcessGroups {
  readonly own: string | undefined
  /** Of the controlling terminal; -1 or 0 without one. */
  readonly foreground: string | undefined
}

function readGroups(): ProcessGroups | undefined {
  try {
    // pid (comm) state ppid pgrp session tty_nr tpgid …, where comm may hold anything, even ")".
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , own, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { own, foreground }
  } catch {
    return undefined // No /proc here.
  }
}

function askForGroups(): ProcessGroups | undefined {
  // One -o each: in BSD's ps a heading runs to the end of its argument, commas and all.
  const args = ['-o', 'pgid=', '-o', 'tpgid=', '-p', String(process.pid)]
  const { status, stdout } = spawnSync('/bin/ps', args, { encoding: 'utf8', timeout: 1000 })
  if (status !== 0) return undefined
  const [own, foreground] = stdout.trim().split(/\s+/)
  return { own, foreground }
}
