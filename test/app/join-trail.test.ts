import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Issuances } from '../../src/app/issuances.ts'
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.ts'
import { SentinelError } from '../../src/errors.ts'
import type { Trail } from '../../src/ports/trail.ts'
import { NOON } from '../fixtures/policies.ts'
import { archiveOf, FakeTrail, issued, join, lost, PROD, recordedEvent } from '../fixtures/trail.ts'

const timeAt = (at: number) => new Date(at).toISOString()

/** The `count`-th issuance of a series, made at `at`. */
function another(count: number, at: number) {
  return issued({
    request_id: `aaaaaaaaaaaaaaaaaa${String(count + 22)}`,
    access_key_id: `ASIAEXAMPLEANOTHER${count}`,
    time: timeAt(at),
    expires_at: timeAt(at + HOUR),
  })
}

const statusesOf = ({ sessions }: Awaited<ReturnType<typeof join>>) =>
  sessions.map(({ status }) => status)

suite('joinTrail', () => {
  test('tells sessions apart by who made them', async () => {
    const trail = new FakeTrail(
      ['stamped', 'unstamped', 'chained', 'copied-stamp', 'saml', 'web-identity', 'service'].map(
        (name) => recordedEvent(name),
      ),
    )
    const joined = await join(trail, [issued()], { roles: ['arn:aws:iam::444455556666:role/*'] })
    const found = joined.sessions.map((session) => [
      session.status,
      'event' in session && session.event.caller?.split(/[:/]/).at(-1),
    ])
    assert.deepEqual(found, [
      ['claimed', 'mallory'],
      ['unmanaged', 'lambda.amazonaws.com'],
      ['unmanaged', 'main'],
      ['unmanaged', 'bob@corp.example'],
      ['chained', 'alice-mzxw6ytboi3damrqgaya'],
      ['unmanaged', 'mallory'],
      ['managed', 'alice'],
    ])
  })

  test('asks every region for every call that makes a session', async () => {
    const trail = new FakeTrail([])
    await join(trail, [])
    const asked = trail.queries.map(({ region, by }) => `${region} ${Object.values(by)}`)
    assert.deepEqual(asked.toSorted(), [
      'eu-central-1 AssumeRole',
      'eu-central-1 AssumeRoleWithSAML',
      'eu-central-1 AssumeRoleWithWebIdentity',
      'us-east-1 AssumeRole',
      'us-east-1 AssumeRoleWithSAML',
      'us-east-1 AssumeRoleWithWebIdentity',
    ])
  })

  test('looks at protected roles alone: those named, and those that the log issued', async () => {
    const event = recordedEvent('unstamped')
    const other = 'arn:aws:iam::444455556666:role/Other'
    const trail = new FakeTrail([event, { ...event, id: 'other', roleArn: other }])
    assert.deepEqual(statusesOf(await join(trail, [], { roles: [] })), [])
    assert.deepEqual(statusesOf(await join(trail, [], { roles: [other] })), ['unmanaged'])
    const logged = [issued({ time: '2026-01-14T11:59:00.000Z', access_key_id: 'ASIAOTHER' })]
    const joined = await join(trail, logged, { roles: [other] })
    assert.deepEqual(statusesOf(joined), ['pending', 'unmanaged', 'unmanaged'])
  })

  test('protects no role that the log issued unstamped: others enter it too', async () => {
    const trail = new FakeTrail([recordedEvent('saml')])
    const logged = [issued({ stamped: false, access_key_id: 'ASIAOTHER' })]
    assert.deepEqual(statusesOf(await join(trail, logged, { roles: [] })), ['never_seen'])
  })

  test('counts calls that failed apart: they are no sessions', async () => {
    const trail = new FakeTrail([recordedEvent('denied'), recordedEvent('denied-with-parameters')])
    const joined = await join(trail, [])
    assert.deepEqual(joined.sessions, [])
    assert.equal(joined.failed, 1)
    assert.equal(joined.events, 2)
    assert.equal(joined.unreadable, 0)
  })

  test('leaves out roles that are AWS-owned, and says how many', async () => {
    const trail = new FakeTrail([recordedEvent('service-linked-role')])
    const joined = await join(trail, [], { roles: ['arn:aws:iam::444455556666:role/*'] })
    assert.deepEqual(joined.sessions, [])
    assert.equal(joined.ownedByAWS, 1)
  })

  test('counts what cannot be read, and a session of no role', async () => {
    const { roleArn: _, ...nowhere } = recordedEvent('unstamped')
    const trail = new FakeTrail(['unreadable', nowhere])
    const joined = await join(trail, [], { regions: ['eu-central-1'] })
    assert.deepEqual(joined.sessions, [])
    assert.equal(joined.unreadable, 3 + 1)
  })

  test('finds the issuance of a chain that began long before the period', async () => {
    const chained = recordedEvent('chained', { roleArn: PROD })
    const joined = await join(new FakeTrail([chained]), [issued()], { since: NOON - 45 * MINUTE })
    const [session] = joined.sessions
    assert.equal(session?.status, 'chained')
    assert.partialDeepStrictEqual(session, { issuance: { user: 'alice', profile: 'prod' } })
  })

  test('does not look into the log again for what nobody is stamped with', async () => {
    let readings = 0
    const archive = archiveOf([])
    const trail = new FakeTrail([recordedEvent('unstamped')])
    const { joinTrail } = await import('../../src/app/join-trail.ts')
    const counting = {
      records: (...call: Parameters<typeof archive.records>) => {
        readings += 1
        return archive.records(...call)
      },
    }
    const { signal } = new AbortController()
    await joinTrail(
      { trail, archive: counting, issuances: new Issuances(), signal, onProgress: () => {} },
      {
        since: NOON - HOUR,
        until: NOON,
        now: NOON,
        regions: ['eu-central-1'],
        account: '111122223333',
        roles: [PROD],
        lookups: 0,
      },
    )
    assert.equal(readings, 0)
  })

  suite('issuances that were not seen made', () => {
    test('are used, where CloudTrail saw calls by their keys', async () => {
      const trail = new FakeTrail([recordedEvent('used')])
      assert.deepEqual(statusesOf(await join(trail, [issued()])), ['used'])
      assert.equal(trail.queries.filter(({ by }) => 'accessKeyId' in by).length, 2)
    })

    test('were never seen, where it saw nothing at all', async () => {
      assert.deepEqual(statusesOf(await join(new FakeTrail([]), [issued()])), ['never_seen'])
    })

    test('are pending for 20 minutes, and not looked up', async () => {
      const trail = new FakeTrail([])
      const records = [another(1, NOON - 20 * MINUTE), another(2, NOON - 20 * MINUTE + SECOND)]
      assert.deepEqual(statusesOf(await join(trail, records)), ['pending', 'never_seen'])
      assert.equal(trail.queries.filter(({ by }) => 'accessKeyId' in by).length, 2)
    })

    test('are looked up from the newest, as many as may be', async () => {
      const trail = new FakeTrail([])
      const records = [1, 2, 3].map((count) => another(count, NOON - (5 - count) * HOUR))
      const joined = await join(trail, records, { lookups: 2 })
      assert.deepEqual(statusesOf(joined), ['never_seen', 'never_seen', 'unchecked'])
      const keys = trail.queries.flatMap(({ by }) => ('accessKeyId' in by ? by.accessKeyId : []))
      assert.deepEqual(new Set(keys), new Set(['ASIAEXAMPLEANOTHER3', 'ASIAEXAMPLEANOTHER2']))
    })

    test('are looked up by their keys also where they have no role', async () => {
      const { role_arn: _, source_identity: __, ...bare } = issued({ stamped: false })
      const trail = new FakeTrail([recordedEvent('used')])
      assert.deepEqual(statusesOf(await join(trail, [bare])), ['used'])
    })

    test('are not missed where nobody got the credentials', async () => {
      assert.deepEqual(statusesOf(await join(new FakeTrail([]), [lost()])), [])
    })

    test('are left out where the trail is of neither account, and counted', async () => {
      const joined = await join(new FakeTrail([]), [issued()], { account: '777788889999' })
      assert.deepEqual(joined.sessions, [])
      assert.equal(joined.elsewhere, 1)
    })

    test('are not those outside of the period, though they were read', async () => {
      const records = [another(1, NOON - HOUR - 30 * SECOND)]
      assert.deepEqual(
        statusesOf(await join(new FakeTrail([]), records, { since: NOON - HOUR })),
        [],
      )
    })
  })

  test('finds what was made a moment before the period began, and recorded in it', async () => {
    const since = Date.UTC(2026, 0, 14, 11, 0, 0, 200)
    const trail = new FakeTrail([recordedEvent('stamped'), recordedEvent('unstamped')])
    const joined = await join(trail, [issued()], { since })
    assert.deepEqual(statusesOf(joined), ['unmanaged', 'managed'])
  })

  test('leaves out what others made outside of the period', async () => {
    const { at } = recordedEvent('unstamped')
    const trail = new FakeTrail([recordedEvent('unstamped')])
    assert.deepEqual(statusesOf(await join(trail, [], { since: at + 1 })), [])
    assert.deepEqual(statusesOf(await join(trail, [], { since: at })), ['unmanaged'])
  })

  test('takes annulled records for nothing', async () => {
    const issuances = new Issuances()
    const { signal } = new AbortController()
    await issuances.read(archiveOf([], [issued()]), () => true, { signal })
    assert.deepEqual([...issuances.all()], [])
  })

  test('keeps an issuance whose record failed first and was written anew', async () => {
    const issuances = new Issuances()
    const { signal } = new AbortController()
    await issuances.read(archiveOf([lost(), issued(), lost()]), () => true, { signal })
    const [issuance, ...others] = issuances.all()
    assert.equal(issuance?.issued?.accessKeyId, 'ASIAEXAMPLEISSUED001')
    assert.deepEqual(others, [])
    assert.equal(issuances.byAccessKey('ASIAEXAMPLEISSUED001'), issuance)
  })

  test('says what to do about a log with too much in the period', async () => {
    const many = {
      async *records() {
        const at = { path: 'decisions.jsonl', line: 1 }
        for (let count = 0; ; count += 1) {
          yield { record: issued({ request_id: `r${count}` }), at, isAnnulled: false }
        }
      },
    }
    const { signal } = new AbortController()
    const reading = new Issuances().read(many, () => true, { signal })
    await assert.rejects(reading, { code: 'USAGE', hint: /--since and --until/ })
  })

  test('ends the lookups of other regions when one fails', async () => {
    const ended: string[] = []
    const trail: Trail = {
      async *lookup({ region }, signal) {
        if (region === 'us-east-1') throw new SentinelError('TRAIL_UNAVAILABLE', 'no answer')
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            ended.push(region)
            reject(signal.reason)
          })
        })
      },
    }
    await assert.rejects(join(trail, []), { code: 'TRAIL_UNAVAILABLE' })
    assert.deepEqual(ended, ['eu-central-1'])
  })
})
