import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import {
  breaking,
  configOf,
  type GrantScene,
  openGrantScene,
  type Who,
} from '../fixtures/e2e/grant-scene.ts'
import { eventually, gatewayOf, WAITING_CHILD } from '../fixtures/interop/gateway.ts'
import type { Result } from '../fixtures/scene.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Within which servers obey, with a second for the commands themselves. In milliseconds. */
const OBEYED_WITHIN = 6000
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/

/** A policy whose break-glass rule has these further words. */
function policyWith(words: string): string {
  return `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  prod: { role: "${ROLES.prod}" }
  vault: { role: "${ROLES.oneHour}" }
  dev: { role: "${ROLES.dev}" }
rules:
  - { name: developers, effect: allow, conditions: { profiles: [dev] } }
break_glass:
  - name: on-call
    profiles: [prod, vault]
    users: [alice, "sso:carol@corp.example"]
    reviewers: [alice, bob, "sso:carol@corp.example"]
    reason_codes: [incident, security]
    max_duration: 1h
    review_within: 72h
    ${words}
`
}

suite('break-glass, by the binary', { concurrency: 3 }, () => {
  test('a server serves from the event to its close, and goes on with the next', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const flags = ['--server', '--lazy', '--server-duration', '4h']
    const words = ['exec', ...flags, 'prod', '--', ...WAITING_CHILD]
    const gateway = await gatewayOf(scene.start('alice', words))
    assert.equal((await gateway.ask()).status, 403)
    for (let round = 0; round < 2; round++) {
      const id = await scene.breakGlass('alice', 'prod')
      const served = await eventually('the event serves', async () => {
        const answer = await gateway.ask()
        return answer.status === 200 && answer
      })
      const { ends_at: end } = await scene.told('alice', ['breakglass', 'show', id])
      const left = Date.parse(String(end)) - Date.parse(served.body.Expiration ?? '')
      assert.ok(left >= 0 && left < 30_000, `${served.body.Expiration} is not ${end}`)

      await scene.told('bob', ['breakglass', 'close', id])
      const isRefused = async () => (await gateway.ask()).status === 403
      await eventually('the close is obeyed', isRefused, OBEYED_WITHIN)
    }
    await gateway.end()
  })

  test('alice is refused, breaks the glass, is let in, and reviewed by bob', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const refused = await exec(scene, 'alice')
    assertExit(refused, 3, /hint: in an emergency: sentinel breakglass prod/)

    const id = await scene.breakGlass('alice', 'prod')
    assertExit(await exec(scene, 'alice'), 0)
    const early = ['breakglass', 'review', id, '--outcome', 'justified', '--comment', 'seen it']
    assertExit(await scene.as('bob', early), 4, /is live until/)
    await scene.told('alice', ['breakglass', 'close', id, '--reason', 'mended'])
    assertExit(await exec(scene, 'alice'), 3)
    const { outcome } = await scene.told('bob', early)

    assert.equal(outcome, 'reviewed')
    const types = scene.scene.log('state/sentinel/decisions.jsonl').map(({ type }) => String(type))
    const told = types.filter((type) => type.startsWith('break_glass.') || type === 'issued')
    const all = ['break_glass.started', 'issued', 'break_glass.closed', 'break_glass.reviewed']
    assert.deepEqual(told, all)
  })

  test('of eight at once under a quota of one, one begins; the others are told when', async () => {
    await using scene = await openGrantScene(policyWith('max_per_user: { count: 1, window: 24h }'))
    const tries = Array.from({ length: 8 }, (_, index) =>
      scene.as('alice', breaking(index % 2 === 0 ? 'prod' : 'vault')),
    )

    const results = await Promise.all(tries)

    const won = results.filter(({ status }) => status === 0)
    assert.equal(won.length, 1)
    const [event = {}] = scene.file().rows('break_glass_events')
    assert.equal(scene.file().rows('break_glass_events').length, 1)
    const end = Date.parse(String(event.started_at)) + 24 * HOUR
    for (const lost of results.filter((result) => !won.includes(result))) {
      assertExit(lost, 3, /lets alice break glass once in 1d: not again before/)
      const [time = ''] = TIME.exec(lost.stderr) ?? []
      assert.equal(Date.parse(time), Math.ceil(end / 1000) * 1000)
    }
  })

  test('of eight at once without a quota, one is live; the others are told which', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const tries = Array.from({ length: 8 }, () => scene.as('alice', breaking('prod')))

    const results = await Promise.all(tries)

    assert.deepEqual(results.map(({ status }) => status).toSorted(), [0, ...Array(7).fill(4)])
    const [{ id } = {}] = scene.file().rows('break_glass_events')
    assert.equal(scene.file().rows('break_glass_events').length, 1)
    for (const lost of results.filter(({ status }) => status === 4)) {
      assert.match(lost.stderr, new RegExp(`event ${id} of alice for prod is live until 20`))
    }
  })

  test('one person has one live event, by whatever permission set', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const id = await scene.breakGlass('carol', 'prod')

    assertExit(await scene.as('carol-admin', breaking('prod')), 4, new RegExp(id))
    assertExit(await exec(scene, 'carol-admin'), 0)
    await scene.told('carol-admin', ['breakglass', 'close', id])
    assertExit(await exec(scene, 'carol'), 3)
  })

  test('after the end comes the cooldown, and then the next', async () => {
    await using scene = await openGrantScene(policyWith('cooldown: 30m'))
    const id = await scene.breakGlass('alice', 'prod')
    await scene.told('alice', ['breakglass', 'close', id])
    const [event = {}] = scene.file().rows('break_glass_events')

    const refused = await scene.as('alice', breaking('prod'))

    assertExit(refused, 3, /wants 30m between two events of alice for prod: not again before/)
    const end = Date.parse(String(event.closed_at)) + 30 * MINUTE
    assert.equal(Date.parse(TIME.exec(refused.stderr)?.[0] ?? ''), Math.ceil(end / 1000) * 1000)
    // Another profile's, and another person's, is another matter.
    assertExit(await scene.as('alice', breaking('vault')), 0)
    assertExit(await scene.as('carol', breaking('prod')), 0)
  })

  test('a cooldown is over when its time is', async () => {
    await using scene = await openGrantScene(policyWith('cooldown: 30m'))
    const id = await scene.breakGlass('alice', 'prod')
    await scene.told('alice', ['breakglass', 'close', id])

    scene.file().backdate(30 * MINUTE)

    assertExit(await scene.as('alice', breaking('prod')), 0)
  })

  test('an overdue review blocks the next event, until somebody else reviews it', async () => {
    await using scene = await openGrantScene(policyWith('block_when_overdue: true'))
    const id = await scene.breakGlass('alice', 'prod')
    scene.file().backdate(74 * HOUR)

    const overdue = new RegExp(`event ${id} of alice for prod was to be reviewed until`)
    assertExit(await scene.as('alice', breaking('prod')), 3, overdue)
    assertExit(await scene.as('alice', breaking('vault')), 3, overdue)
    const justified = [
      'breakglass',
      'review',
      id,
      '--outcome',
      'justified',
      '--comment',
      'I mended it',
    ]
    assertExit(await scene.as('alice', justified), 3, /is your own \(iam:111122223333\/alice\)/)
    assertExit(await scene.as('alice', breaking('prod')), 3, overdue)

    await scene.told('bob', ['breakglass', 'review', id, '--outcome', 'misuse', '--comment', 'no'])

    assertExit(await scene.as('bob', justified), 3, /was reviewed as misuse by bob/)
    assertExit(await scene.as('alice', breaking('prod')), 0)
  })

  test('without the rule saying so, an overdue review blocks nothing', async () => {
    await using scene = await openGrantScene(policyWith(''))
    await scene.breakGlass('alice', 'prod')
    scene.file().backdate(74 * HOUR)

    const next = await scene.as('alice', breaking('prod'))

    assertExit(next, 0, /overdue|was to be reviewed/)
  })

  test('nobody reviews their own, by whatever permission set', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const id = await scene.breakGlass('carol', 'prod')
    await scene.told('carol', ['breakglass', 'close', id])

    for (const who of ['carol', 'carol-admin'] as const) {
      const words = ['breakglass', 'review', id, '--outcome', 'justified', '--comment', 'I know']
      assertExit(await scene.as(who, words), 3, /is your own \(sso:carol@corp\.example\)/)
    }
    assert.deepEqual(scene.file().rows('break_glass_reviews'), [])
  })

  test('whoever the rule does not name, and a reason it does not take, begin nothing', async () => {
    await using scene = await openGrantScene(policyWith(''))

    assertExit(await scene.as('bob', breaking('prod')), 3)
    const other = breaking('prod').map((word) => (word === 'incident' ? 'recovery' : word))
    assertExit(await scene.as('alice', other), 3, /recovery/)
    const { outcome } = await scene.told('alice', breaking('dev'))
    assert.equal(outcome, 'allowed')
    assert.deepEqual(scene.file().rows('break_glass_events'), [])
  })

  test('without --yes and without a terminal nothing begins', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const words = breaking('prod').filter((word) => word !== '--yes')

    assertExit(await scene.as('alice', words), 5, /--yes/)
    assert.deepEqual(scene.file().rows('break_glass_events'), [])
  })

  test('credentials that Sentinel issued break no glass, close and review nothing', async () => {
    await using scene = await openGrantScene(policyWith(''))
    const id = await scene.breakGlass('carol', 'prod')
    const config = scene.scene.write('config-issued', configOf('issued'))
    const issued = await scene.as('alice', ['export', 'dev', '--format', 'ini', '--profile', 'dev'])
    assertExit(issued, 0)
    const credentials = issued.stdout.replace(/^\[.*\]$/m, '[issued]')
    const env = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: scene.scene.write('issued', credentials),
      SENTINEL_AWS_PROFILE: 'issued',
    }

    const tries = [
      breaking('vault'),
      ['breakglass', 'close', id],
      ['breakglass', 'review', id, '--outcome', 'justified', '--comment', 'seen it'],
    ]
    for (const words of tries) {
      const result = await scene.as('alice', words, { env })
      assertExit(result, 3, /were issued by Sentinel|carry a SourceIdentity/)
    }
    const [event, ...others] = scene.file().rows('break_glass_events')
    assert.deepEqual([event?.closed_at, others], [null, []])
  })
})

function exec(scene: GrantScene, who: Who): Promise<Result> {
  return scene.as(who, ['exec', 'prod', '--', 'true'])
}

function assertExit({ status, stderr }: Result, expected: number, said = /(?:)/): void {
  assert.equal(status, expected, stderr)
  assert.match(stderr, said)
}
