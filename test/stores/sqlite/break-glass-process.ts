/**
 * Somebody on one machine, run as a process of its own by `break-glass-processes.test.ts`:
 *
 *     break-glass-process.ts PATH NUMBER ROUNDS
 *
 * Says `ready`, waits for the end of stdin, and then in each round invokes what all the others
 * invoke too: the same person on the profile `race-ROUND`, where one is admitted, and a person of
 * its own on `team-ROUND`, where three are. Tells on stdout what began: `PROFILE ID`.
 */
import { writeSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { BreakGlassHistory } from '../../../src/domain/break-glass.ts'
import { openSqliteBreakGlassStore } from '../../../src/stores/sqlite/break-glass-store.ts'
import { anEvent, news, REFUSAL } from '../break-glass-under-test.ts'
import { aParty } from '../request-under-test.ts'
import { AS_US } from '../sqlite-place.ts'
import { WAITING } from '../store-under-test.ts'

const [path = '', number = '', rounds = ''] = process.argv.slice(2)
const shared = { person: 'sso:alice', user: 'alice', principal: 'arn', principalId: 'AROA:alice' }
const own = aParty(`user${number}`)
await using store = await openSqliteBreakGlassStore(path, { ...AS_US, patienceMs: 20_000 })
writeSync(1, 'ready\n')
await text(process.stdin)

for (let round = 1; round <= Number(rounds); round += 1) {
  const race = anEvent({ invoker: shared, profile: `race-${round}` })
  await invoke(race, ({ ofPerson }) =>
    ofPerson.every(({ event }) => event.profile !== race.profile),
  )
  const team = anEvent({ invoker: own, profile: `team-${round}` })
  await invoke(team, ({ ofProfile }) => ofProfile.length < 3)
}

async function invoke(
  event: ReturnType<typeof anEvent>,
  isFine: (history: BreakGlassHistory) => boolean,
): Promise<void> {
  const admit = (history: BreakGlassHistory) => {
    if (!isFine(history)) throw REFUSAL
  }
  try {
    await store.begin(event, admit, [news()], WAITING)
    writeSync(1, `${event.profile} ${event.id}\n`)
  } catch (error) {
    if (error !== REFUSAL) throw error
  }
}
