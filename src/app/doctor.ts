import { SECOND } from '../domain/time.ts'
import { SentinelError } from '../errors.ts'
import { within } from './within.ts'

type Verdict = 'ok' | 'warning' | 'failed' | 'skipped'

/** What a look at one part of the set-up found. */
export interface Finding {
  readonly verdict: Verdict
  /** For people: no capital at the start, no full stop at the end. */
  readonly detail: string
  /** The next step. */
  readonly hint?: string | undefined
  /** The same for programs. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** A look at one part of the set-up. */
export interface Check {
  readonly name: string
  /** Rejects with what is wrong. */
  look(signal: AbortSignal): Promise<Finding>
}

/** A finding, and what it is about. */
export interface Diagnosis extends Finding {
  readonly check: string
}

const DEADLINE = 10 * SECOND

/**
 * Looks at everything side by side; each check has its own deadline, and what becomes of one hides
 * nothing of another. In the order of `checks`.
 */
export async function diagnose(
  checks: readonly Check[],
  deadline = DEADLINE,
): Promise<readonly Diagnosis[]> {
  return Promise.all(
    checks.map(async (check) => ({ check: check.name, ...(await find(check, deadline)) })),
  )
}

async function find(check: Check, deadline: number): Promise<Finding> {
  const giveUp = new AbortController()
  try {
    return await within(deadline, check.look(giveUp.signal), () => new Late())
  } catch (error) {
    return failed(error, deadline)
  } finally {
    giveUp.abort()
  }
}

/** That a check took too long: no failure that it could explain itself. */
class Late extends Error {}

function failed(error: unknown, deadline: number): Finding {
  const verdict = 'failed'
  if (error instanceof Late) {
    return { verdict, detail: `no answer within ${deadline / SECOND} seconds`, hint: NETWORK }
  }
  if (error instanceof SentinelError) {
    const { message, hint, code } = error
    return { verdict, detail: message, hint, facts: { code } }
  }
  return { verdict, detail: `a bug: ${String(error)}`, hint: 'please report it' }
}

const NETWORK = 'look at the network, and at the proxy if there is one'
