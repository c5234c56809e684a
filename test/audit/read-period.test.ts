import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { queryOf, type RecordFilter } from '../../src/app/record-filter.ts'
import { selectRecords } from '../../src/app/select-records.ts'
import { openLogArchive } from '../../src/audit/archive.ts'
import { SECOND } from '../../src/domain/time.ts'
import { collect } from '../stores/store-under-test.ts'
import { type LogPlace, makeLogPlace, manualClock, STILL_CLOCK } from './log-fixture.ts'

const START = STILL_CLOCK.aws()
const { signal } = new AbortController()

/** A log of a record a second, five in all, and each in its reason another's time. */
async function writeLog(place: LogPlace): Promise<void> {
  const clock = manualClock()
  await using log = await place.open({ clock })
  for (let second = 0; second < 5; second += 1) {
    const reason = '"time":"2020-01-01T00:00:00.000Z"'
    await log.append({ type: 'issued', user: `user-${second}`, profile: 'ümlaut "dev"', reason })
    clock.advance(SECOND)
  }
}

suite('reading a period of a log', () => {
  const periods: [since: number | undefined, until: number | undefined, users: number[]][] = [
    [undefined, undefined, [0, 1, 2, 3, 4]],
    [2, undefined, [2, 3, 4]],
    [undefined, 2, [0, 1]],
    [1, 3, [1, 2]],
    [5, undefined, []],
    [undefined, 0, []],
  ]
  for (const [since, until, users] of periods) {
    test(`from ${since} until ${until} gives only what was made then`, async () => {
      using place = makeLogPlace()
      await writeLog(place)
      const query = {
        ...(since !== undefined && { since: START + since * SECOND }),
        ...(until !== undefined && { until: START + until * SECOND }),
      }
      const archive = await openLogArchive({ live: place.path })
      const records = await collect(archive.records(query, { signal }))
      assert.deepEqual(
        records.map(({ record }) => record.user),
        users.map((second) => `user-${second}`),
      )
    })
  }

  test('finds by the texts of a filter what the writer wrote', async () => {
    using place = makeLogPlace()
    await writeLog(place)
    const archive = await openLogArchive({ live: place.path })
    const filters: [RecordFilter, number][] = [
      [{ profile: 'ümlaut "dev"' }, 5],
      [{ profile: '*laut "*' }, 5],
      [{ profile: 'umlaut*' }, 0],
      [{ user: 'user-3', since: START + 3 * SECOND, until: START + 4 * SECOND }, 1],
      [{ user: 'user-3', until: START + 3 * SECOND }, 0],
    ]
    for (const [filter, count] of filters) {
      const selection = { filter, annulled: 'hidden' } as const
      const found = await collect(selectRecords(archive, selection, { signal }))
      assert.equal(found.length, count, JSON.stringify(queryOf(filter)))
    }
  })
})
