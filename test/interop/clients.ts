import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JournalEntry } from '../../src/demo/journal.ts'
import { missing, type Tool } from '../fixtures/tools.ts'

/** A program that calls GetCallerIdentity through an SDK which finds its credentials by itself. */
export interface Client {
  readonly name: string
  readonly needs: readonly Tool[]
  readonly command: readonly string[]
  /** How it introduces itself to AWS. */
  readonly userAgent: RegExp
}

const file = (name: string) => fileURLToPath(new URL(`clients/${name}`, import.meta.url))

export const BOTO3: Client = {
  name: 'boto3',
  needs: ['boto3'],
  command: ['python3', file('ask.py')],
  userAgent: /^Boto3\//,
}

export const AWS_CLI: Client = {
  name: 'the AWS CLI',
  needs: ['aws'],
  command: ['aws', 'sts', 'get-caller-identity'],
  userAgent: /^aws-cli\//,
}

export const JAVASCRIPT: Client = {
  name: 'the JavaScript SDK',
  needs: [],
  command: [process.execPath, file('ask.ts')],
  userAgent: /^aws-sdk-js\/(?!.*sentinel)/,
}

export const CLIENTS = [BOTO3, AWS_CLI, JAVASCRIPT]

/** The words of a program that takes credentials through boto3 until it is refused; see there. */
export const POLL = ['python3', file('poll.py')]

/** The words of a shell that runs every client this machine has, side by side. */
export function sideBySide(clients: readonly Client[]): string[] {
  const present = clients.filter(({ needs }) => !missing(...needs))
  const runs = present.map(({ name, command }) => {
    const words = command.map((word) => `'${word}'`).join(' ')
    return `{ ${words} >'${name}.out' 2>'${name}.err'; echo $? >'${name}.status'; } &`
  })
  return ['sh', '-c', `${runs.join(' ')} wait`]
}

export interface Answer {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** What `client` said when {@link sideBySide} was run in `directory`. */
export function answerOf({ name }: Client, directory: string): Answer {
  const read = (suffix: string) => readFileSync(join(directory, `${name}.${suffix}`), 'utf8')
  return { status: Number(read('status')), stdout: read('out'), stderr: read('err') }
}

/** The access keys by which `client` made itself known to AWS. */
export function keysOf(client: Client, journal: readonly JournalEntry[]): (string | undefined)[] {
  return journal
    .filter(({ operation }) => operation === 'GetCallerIdentity')
    .filter(({ userAgent }) => client.userAgent.test(userAgent))
    .map(({ caller }) => caller?.accessKeyId)
}
