import { createHmac } from 'node:crypto'
import type { Notification } from '../../src/domain/notification.ts'
import { NOON } from '../fixtures/policies.ts'

/** For sends that nobody gives up. */
export const WAITING = new AbortController().signal

/** Alice asked for prod at noon. */
export function aNotification(overrides: Partial<Notification> = {}): Notification {
  return {
    id: 'mzxw6ytboi3damrqgaya',
    event: 'request.created',
    at: NOON,
    target: { kind: 'webhook', address: 'https://hooks.example/sentinel' },
    fields: { requester: 'alice', profile: 'prod', required: 2 },
    ...overrides,
  }
}

/** What a receiver that knows `secret` computes, by the page about notifications alone. */
export function isSigned(body: string, signature: string, secret: string): boolean {
  const [time = '', mac = ''] = signature
    .split(',')
    .map((part) => part.slice(part.indexOf('=') + 1))
  const wanted = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
  return signature === `t=${time},v1=${mac}` && mac === wanted
}
