import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLES } from '../../src/demo/world.ts'
import { configOf, type GrantScene, openGrantScene } from '../fixtures/e2e/grant-scene.ts'
import {
  type Answer,
  eventually,
  type Gateway,
  gatewayOf,
  WAITING_CHILD,
} from '../fixtures/interop/gateway.ts'
import type { Result } from '../fixtures/scene.ts'

const HOUR = 3_600_000
/** Within which servers obey, with a second for the commands themselves. In milliseconds. */
const OBEYED_WITHIN = 6000

const POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  prod: { role: "${ROLES.prod}" }
  vault: { role: "${ROLES.oneHour}" }
  dev: { role: "${ROLES.dev}" }
rules:
  - { name: developers, effect: allow, conditions: { profiles: [dev] } }
  - { name: production, effect: require_approval, conditions: { profiles: [prod, vault] },
      reason: production takes a second pair of eyes }
approvals:
  - name: second-pair-of-eyes
    profiles: [prod]
    users: ["*"]
    approvers: [alice, bob, "sso:carol@corp.example"]
    max_duration: 4h
  - name: two-of-them
    profiles: [vault]
    users: [alice, bob]
    approvers: [alice, bob, "sso:carol@corp.example"]
    required: 2
`

// Little else runs beside them: they have a time to obey in.
suite('a server on approvals', { concurrency: 3 }, () => {
  test('a server gets a grant, loses it, and goes on with the next, without a restart', async () => {
    await using scene = await openGrantScene(POLICY)
    const gateway = await serve(scene)

    const before = await gateway.ask()
    assert.equal(before.status, 403)
    assert.match(before.body.Message ?? '', /requires approval: production takes a second pair/)

    const first = await scene.approved('alice', 'bob', 'prod')
    const served = await eventually('the grant serves', () => issued(gateway))
    await assertEndsWith(scene, served, first)

    await scene.told('bob', ['request', 'revoke', first, '--reason', 'done'])
    await refusedInTime(gateway)
    const refused = await gateway.ask()
    assert.match(refused.body.Message ?? '', /requires approval: production takes a second pair/)

    const second = await scene.approved('alice', 'carol', 'prod')
    const again = await eventually('the next grant serves', () => issued(gateway))
    await assertEndsWith(scene, again, second)
    assert.notEqual(again.body.AccessKeyId, served.body.AccessKeyId)

    const { status, stderr } = await gateway.end()
    assert.equal(status, 0)
    assert.match(stderr, /rule "production" requires approval/)
    const grants = scene.scene
      .log(LOG)
      .filter(({ type }) => type === 'issued')
      .map(({ grant_id: id }) => id)
    assert.deepEqual(grants, [first, second])
  })

  test('a server refuses once its grant is over', async () => {
    await using scene = await openGrantScene(POLICY)
    await scene.approved('alice', 'bob', 'prod')
    const gateway = await serve(scene)
    assert.equal((await gateway.ask()).status, 200)

    scene.file().backdate(HOUR)

    await refusedInTime(gateway)
    await gateway.end()
  })

  test('of two grants, the end of one leaves access by the other', async () => {
    await using scene = await openGrantScene(POLICY)
    const long = await scene.approved('alice', 'bob', 'prod', { duration: '2h' })
    const short = await scene.approved('alice', 'bob', 'prod', { duration: '1h' })
    const gateway = await serve(scene)
    await assertEndsWith(scene, await gateway.ask(), long)

    // The one that is used goes first.
    await scene.told('bob', ['request', 'revoke', long, '--reason', 'done'])
    const end = performance.now() + OBEYED_WITHIN + 1000
    while (performance.now() < end) {
      const { status } = await gateway.ask()
      assert.equal(status, 200)
      await sleep(200)
    }
    await assertEndsWith(scene, await gateway.ask(), short)

    await scene.told('alice', ['request', 'revoke', short, '--reason', 'done'])
    await refusedInTime(gateway)
    await gateway.end()
  })
})

suite('approvals, by the binary', { concurrency: 3 }, () => {
  test('alice is refused, told the way, asks, is approved by bob, and let in', async () => {
    await using scene = await openGrantScene(POLICY)

    const refused = await scene.as('alice', ['exec', 'prod', '--', 'true'])
    assertExit(refused, 3, /production takes a second pair of eyes/)
    assert.match(
      refused.stderr,
      /^hint: ask bob or sso:carol@corp\.example for approval: sentinel request prod --justification WHY$/m,
    )

    const id = await scene.request('alice', 'prod')
    const own = await scene.as('alice', ['approve', id])
    assertExit(own, 3, new RegExp(`request ${id} is your own`))
    assertExit(await scene.as('alice', ['exec', 'prod', '--', 'true']), 3)
    const approved = await scene.told('bob', ['approve', id, '--comment', 'seen the change'])
    assert.equal(approved.outcome, 'approved')
    assertExit(await scene.as('alice', ['exec', 'prod', '--', 'true']), 0)
    const types = scene.scene.log(LOG).map(({ type }) => String(type))
    const told = types.filter((type) => type.startsWith('request.') || type === 'issued')
    assert.deepEqual(told, ['request.created', 'request.approved', 'issued'])
  })

  test('nobody approves or denies their own, by whatever permission set', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('carol', 'prod')

    for (const who of ['carol', 'carol-admin'] as const) {
      for (const words of [
        ['approve', id],
        ['deny', id, '--comment', 'not today'],
      ]) {
        assertExit(await scene.as(who, words), 3, /is your own \(sso:carol@corp\.example\)/)
      }
    }
    assert.deepEqual(scene.file().rows('request_reviews'), [])
    assertExit(await scene.as('carol-admin', ['exec', 'prod', '--', 'true']), 3)
  })

  test('two permission sets of one person are one approval of two', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('alice', 'vault')

    await scene.told('carol', ['approve', id])
    const again = await scene.told('carol-admin', ['approve', id])
    assert.equal(again.outcome, 'already approved')
    assert.equal((again.request as { approvals: number }).approvals, 1)
    assertExit(await scene.as('alice', ['exec', 'vault', '--', 'true']), 3)

    await scene.told('bob', ['approve', id])
    assertExit(await scene.as('alice', ['exec', 'vault', '--', 'true']), 0)
  })

  test('a decision that is made twice is one', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('alice', 'prod')
    const first = await scene.told('bob', ['approve', id, '--duration', '30m'])
    const [review] = scene.file().rows('request_reviews')

    const second = await scene.told('bob', ['approve', id])

    assert.equal(second.outcome, 'already approved')
    assert.deepEqual(second.request, first.request)
    assert.deepEqual(scene.file().rows('request_reviews'), [review])
    assertExit(await scene.as('bob', ['deny', id, '--comment', 'not today']), 4, /you approved/)
    assertExit(await scene.as('carol', ['approve', id]), 4, /is approved by bob/)
  })

  test('of four approvals by one person at once, one is written', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('alice', 'prod')

    const told = await Promise.all([1, 2, 3, 4].map(() => scene.told('bob', ['approve', id])))

    const outcomes = told.map(({ outcome }) => outcome).toSorted()
    assert.deepEqual(outcomes, [...Array(3).fill('already approved'), 'approved'])
    assert.equal(scene.file().rows('request_reviews').length, 1)
  })

  test('a request that nobody decided in 24 hours is never approved', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('alice', 'prod')
    scene.file().backdate(24 * HOUR)

    for (const words of [
      ['approve', id],
      ['deny', id, '--comment', 'not today'],
      ['cancel', id],
    ]) {
      assertExit(await scene.as(words[0] === 'cancel' ? 'alice' : 'bob', words), 4, /expired at/)
    }
    assert.deepEqual(scene.file().rows('request_reviews'), [])
    assertExit(await scene.as('alice', ['exec', 'prod', '--', 'true']), 3)
  })

  test('a denial, a cancellation and a withdrawal are final', async () => {
    await using scene = await openGrantScene(POLICY)
    const denied = await scene.request('alice', 'vault')
    await scene.told('bob', ['deny', denied, '--comment', 'not today'])
    const cancelled = await scene.request('alice', 'prod')
    await scene.told('alice', ['cancel', cancelled])
    const revoked = await scene.approved('alice', 'bob', 'prod')
    await scene.told('alice', ['request', 'revoke', revoked, '--reason', 'done'])

    assertExit(await scene.as('carol', ['approve', denied]), 4, /was denied by bob/)
    assertExit(await scene.as('carol', ['approve', cancelled]), 4, /was cancelled by alice/)
    assertExit(await scene.as('carol', ['approve', revoked]), 4, /was revoked by alice/)
    assertExit(await scene.as('alice', ['exec', 'prod', '--', 'true']), 3)
    assertExit(await scene.as('alice', ['exec', 'vault', '--', 'true']), 3)
  })

  test('credentials that Sentinel issued ask for nothing and decide nothing', async () => {
    await using scene = await openGrantScene(POLICY)
    const id = await scene.request('alice', 'prod')

    const tries = [
      `approve ${id}`,
      `deny ${id} --comment not-today`,
      'request prod --justification release-4711-of-the-shop',
    ]
    for (const words of tries) {
      const result = await asIssued(scene, words)
      assertExit(result, 3, /were issued by Sentinel|carry a SourceIdentity/)
    }
    assert.deepEqual(scene.file().rows('request_reviews'), [])
    assert.equal(scene.file().rows('requests').length, 1)
  })

  test('waiting for a decision ends with it', async () => {
    await using scene = await openGrantScene(POLICY)
    const words = ['request', 'prod', '--justification', 'release 4711 of the shop', '--wait']
    const waiting = scene.start('alice', [...words, '--output', 'json'])
    const id = await eventually('the request', async () => pendingOf(scene))
    await scene.told('bob', ['approve', id])

    const approved = await waiting.ended
    assertExit(approved, 0)
    const document = JSON.parse(approved.stdout)
    assert.deepEqual([document.request.id, document.request.status], [id, 'approved'])

    const other = await scene.request('alice', 'vault')
    const waitingToo = scene.start('alice', ['request', 'show', other, '--wait'])
    await scene.told('bob', ['deny', other, '--comment', 'not today'])
    assertExit(await waitingToo.ended, 3, /not today/)
  })
})

/** In the state directory that scenes use unless told otherwise. */
const LOG = 'state/sentinel/decisions.jsonl'

async function serve(scene: GrantScene): Promise<Gateway> {
  // For longer than any grant here: it is the grant that ends the credentials.
  const flags = ['--server', '--lazy', '--server-duration', '4h']
  return gatewayOf(scene.start('alice', ['exec', ...flags, 'prod', '--', ...WAITING_CHILD]))
}

async function issued(gateway: Gateway): Promise<Answer | false> {
  const answer = await gateway.ask()
  return answer.status === 200 && answer
}

/** Waits for the refusal of what has just been taken back. */
async function refusedInTime(gateway: Gateway): Promise<void> {
  const isRefused = async () => (await gateway.ask()).status === 403
  await eventually('the withdrawal is obeyed', isRefused, OBEYED_WITHIN)
}

/** The grant is used to its end, and not beyond; STS needs some seconds of it. */
async function assertEndsWith(scene: GrantScene, { body }: Answer, id: string): Promise<void> {
  const { granted_until: end } = await scene.told('alice', ['request', 'show', id])
  const expiration = Date.parse(body.Expiration ?? '')
  const left = (Date.parse(String(end)) - expiration) / 1000
  assert.ok(left >= 0 && left < 30, `${body.Expiration} is not the end of what ends at ${end}`)
}

function pendingOf(scene: GrantScene): string | undefined {
  try {
    const [row] = scene.file().rows('requests')
    return row && String(row.id)
  } catch {
    // The file is made by the command that is waited for.
    return undefined
  }
}

/** Runs a command inside `exec`, with the credentials of the child, past its guard rails. */
async function asIssued({ scene, as }: GrantScene, words: string): Promise<Result> {
  const config = scene.write('config-issued', configOf('issued'))
  const script = [
    'umask 077',
    'echo "[issued]" > issued',
    'echo "aws_access_key_id = $AWS_ACCESS_KEY_ID" >> issued',
    'echo "aws_secret_access_key = $AWS_SECRET_ACCESS_KEY" >> issued',
    'echo "aws_session_token = $AWS_SESSION_TOKEN" >> issued',
    'unset SENTINEL_ACTIVE SENTINEL_ACTIVE_PROFILE SENTINEL_RESOLVING',
    `export AWS_CONFIG_FILE=${config} AWS_SHARED_CREDENTIALS_FILE=issued SENTINEL_AWS_PROFILE=issued`,
    `export AWS_ENDPOINT_URL=${scene.aws.url}`,
    `exec "$SENTINEL" --allow-endpoint-override ${words}`,
  ]
  return as('bob', ['exec', 'dev', '--', 'sh', '-c', script.join('\n')])
}

function assertExit({ status, stderr }: Result, expected: number, said = /(?:)/): void {
  assert.equal(status, expected, stderr)
  assert.match(stderr, said)
}
