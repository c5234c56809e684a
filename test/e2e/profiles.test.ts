import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { totpCode } from '../../src/demo/totp.ts'
import {
  ALICE_MFA_SEED,
  ALICE_MFA_SERIAL,
  CI_TOKEN,
  DEMO_KEYS,
  EXTERNAL_ID,
  ROLES,
} from '../../src/demo/world.ts'
import {
  BINARY,
  CREDENTIALS,
  openScene,
  POLICY,
  type Result,
  type Scene,
} from '../fixtures/scene.ts'

/** Everybody gets everything: these tests are about profiles. */
const OPEN_POLICY = `\
version: "1"
rules:
  - name: everything
    effect: allow
    conditions: {}
`
const UNSTAMPED_POLICY = OPEN_POLICY.replace('effect: allow', 'effect: allow\n    unstamped: allow')

const { alice, carol } = DEMO_KEYS

interface Key {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

/** A key as the lines of a profile. */
function keys({ accessKeyId, secretAccessKey, sessionToken }: Key): string {
  const token = sessionToken === undefined ? '' : `aws_session_token = ${sessionToken}\n`
  return `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n${token}`
}

/** A profile `served` for `role`, over a `base` that the credentials file has. */
function over(role: string, lines = ''): string {
  return `[profile served]\nrole_arn = ${role}\nsource_profile = base\nregion = eu-central-1\n${lines}`
}

/** A scene whose config has `served`, and whose base credentials are alice's. */
function openWith(config: string, policy = OPEN_POLICY): Promise<Scene> {
  return openScene({ config, policy, credentials: CREDENTIALS })
}

function serve(scene: Scene, ...flags: string[]): Promise<Result> {
  return scene.sentinel(['exec', ...flags, 'served', '--', 'true'])
}

function assumed(scene: Scene): Record<string, unknown>[] {
  const calls = scene.aws.journal.filter(({ operation }) => operation === 'AssumeRole')
  return calls.map(({ parameters }) => ({ ...parameters }))
}

function issued(scene: Scene): Record<string, unknown> {
  const records = scene.log().filter(({ type }) => type === 'issued')
  assert.equal(records.length, 1)
  return records[0] ?? {}
}

suite('a gated profile', { concurrency: 2 }, () => {
  test('over a chain of three is stamped at its last role, and there only', async () => {
    await using scene = await openWith(
      `${over(ROLES.chained).replace('= base', '= middle')}[profile middle]\nrole_arn = ${ROLES.prod}\nsource_profile = base\n`,
    )

    const { status, stderr } = await serve(scene)

    assert.equal(status, 0, stderr)
    const [hop, last, ...more] = assumed(scene)
    assert.equal(more.length, 0)
    assert.equal(hop?.RoleArn, ROLES.prod)
    assert.equal(hop?.SourceIdentity, undefined)
    assert.equal(last?.RoleArn, ROLES.chained)
    assert.match(String(last?.SourceIdentity), /^sentinel=/)
    assert.equal(issued(scene).source_identity, last?.SourceIdentity)
  })

  test('passes its external id and its duration on', async () => {
    await using scene = await openWith(
      over(ROLES.partner, `external_id = ${EXTERNAL_ID}\nduration_seconds = 1800\n`),
    )
    const { status, stderr } = await serve(scene)
    assert.equal(status, 0, stderr)
    assert.partialDeepStrictEqual(assumed(scene), [
      { ExternalId: EXTERNAL_ID, DurationSeconds: 1800 },
    ])
  })

  test('has its duration_seconds below the flag, and out of server mode', async () => {
    const config = over(ROLES.dev, 'duration_seconds = 7200\n')
    await using flagged = await openWith(config)
    await using server = await openWith(config)
    await Promise.all([serve(flagged, '--duration', '2h30m'), serve(server, '--server')])
    assert.equal(assumed(flagged)[0]?.DurationSeconds, 9000)
    assert.equal(assumed(server)[0]?.DurationSeconds, 900)
  })

  test("over a role's session lasts an hour at most, and a note says so", async () => {
    await using scene = await openWith(over(ROLES.prod))
    scene.write('.aws/credentials', `[base]\n${keys(carol)}`)

    const { status, stderr } = await serve(scene, '--duration', '4h')

    assert.equal(status, 0, stderr)
    assert.match(stderr, /^note: credentials last 1h instead of 4h: .*chained/m)
    assert.equal(assumed(scene)[0]?.DurationSeconds, 3600)
    assert.partialDeepStrictEqual(issued(scene), {
      person: 'sso:carol@corp.example',
      duration_seconds: 3600,
    })
  })

  test('of a role with a shorter maximum is asked again for an hour, and a note says so', async () => {
    await using scene = await openWith(over(ROLES.oneHour))
    const { status, stderr } = await serve(scene, '--duration', '4h')
    assert.equal(status, 0, stderr)
    assert.match(stderr, /^note: credentials last 1h instead of 4h: the role allows no more$/m)
    assert.deepEqual(
      assumed(scene).map(({ DurationSeconds }) => DurationSeconds),
      [14_400, 3600],
    )
    assert.equal(issued(scene).duration_seconds, 3600)
  })

  test('of a role that does not let its sessions be stamped fails with what is missing', async () => {
    await using scene = await openWith(over(ROLES.legacy))
    const { status, stderr } = await serve(scene)
    assert.equal(status, 6)
    assert.match(stderr, /^error: .*sts:SetSourceIdentity.*\nhint: .*sts:SetSourceIdentity/m)
    assert.equal(scene.answered('AssumeRole'), 0)
  })

  test('takes its base from a credential_process', async () => {
    await using scene = await openWith(
      `${over(ROLES.dev)}[profile base]\ncredential_process = cat base.json\n`,
    )
    scene.write('.aws/credentials', '')
    scene.write('base.json', processAnswer(alice))
    const { status, stderr } = await serve(scene)
    assert.equal(status, 0, stderr)
    assert.partialDeepStrictEqual(issued(scene), { user: 'alice', stamped: true })
  })

  test('is refused when its role_arn was edited, with the role that was found', async () => {
    await using scene = await openScene({ policy: POLICY })
    const config = `[profile dev]\nrole_arn = ${ROLES.prod}\nsource_profile = base\n`
    scene.write('.aws/config', config)

    const { status, stderr } = await scene.sentinel(['exec', 'dev', '--', 'true'])

    assert.equal(status, 3)
    assert.ok(stderr.includes(ROLES.prod), stderr)
    assert.equal(scene.answered('AssumeRole'), 0)
    const refused = scene.log().find(({ type }) => type === 'refused')
    assert.partialDeepStrictEqual(refused, { role_arn: ROLES.prod, code: 'POLICY_DENIED' })
  })
})

suite('a profile without a role', { concurrency: 2 }, () => {
  const OWN_KEYS = { config: '', credentials: `[served]\n${keys(alice)}` }

  for (const gate of [['exec'], ['exec', '--server']]) {
    test(`is refused by ${gate.join(' ')}, with the lines that gate it`, async () => {
      await using scene = await openScene({ ...OWN_KEYS, policy: OPEN_POLICY })
      const { status, stderr } = await scene.sentinel([...gate, 'served', '--', 'true'])
      assert.equal(status, 3)
      assert.match(stderr, /^hint: .*role_arn = .*source_profile = served-base$/m)
      assertNothingIssued(scene)
      const refused = scene.log().find(({ type }) => type === 'refused')
      assert.partialDeepStrictEqual(refused, { code: 'PROFILE_UNSTAMPED', stamped: false })
    })
  }

  test('is served a session of its keys where a rule accepts that, and stderr says so', async () => {
    await using scene = await openScene({ ...OWN_KEYS, policy: UNSTAMPED_POLICY })
    const print = ['sh', '-c', 'echo "$AWS_ACCESS_KEY_ID"']

    const { stdout, stderr } = await scene.sentinel(['exec', 'served', '--', ...print])

    assert.match(stdout, /^ASIADEMO\w+\n$/)
    assert.match(stderr, /^warning: .*no stamp/m)
    assert.equal(scene.answered('GetSessionToken'), 1)
    assert.equal(scene.answered('AssumeRole'), 0)
    assert.partialDeepStrictEqual(issued(scene), {
      stamped: false,
      access_key_id: stdout.trim(),
    })
    assert.equal(issued(scene).source_identity, undefined)
  })

  test('whose role comes by web identity counts as one', async () => {
    const web = (policy: string) =>
      openScene({
        config: `[profile served]\nrole_arn = ${ROLES.ci}\nweb_identity_token_file = token\nregion = eu-central-1\n`,
        policy,
      })
    await using refused = await web(OPEN_POLICY)
    await using accepted = await web(UNSTAMPED_POLICY)
    for (const { home, write } of [refused, accepted]) {
      const path = write('token', CI_TOKEN)
      assert.equal(path, `${home}/token`)
    }

    const [no, yes] = await Promise.all([serve(refused), serve(accepted)])

    assert.equal(no.status, 3, no.stderr)
    assert.deepEqual([yes.status, issued(accepted).stamped], [0, false], yes.stderr)
    assert.equal(issued(accepted).role_arn, ROLES.ci)
  })
})

suite('base credentials', { concurrency: 2 }, () => {
  test('that come from Sentinel for the same profile are refused, and why', async () => {
    await using scene = await openWith(
      `${over(ROLES.dev)}[profile base]\ncredential_process = ${BINARY} --allow-endpoint-override credentials --profile served\n`,
    )
    scene.write('.aws/credentials', '')
    const { status, stderr } = await serve(scene)
    assert.equal(status, 5, stderr)
    assert.match(stderr, /^error: .*served.*\nhint: ./m)
    assert.equal(scene.log().find(({ type }) => type === 'refused')?.code, 'PROFILE_RECURSION')
    assertNothingIssued(scene)
  })

  test('that were issued by Sentinel are refused', async () => {
    await using scene = await openWith(
      `${over(ROLES.dev).replace('= base', '= outer')}[profile outer]\ncredential_process = ${BINARY} --allow-endpoint-override credentials --profile gated\n[profile gated]\nrole_arn = ${ROLES.prod}\nsource_profile = base\nregion = eu-central-1\n`,
    )
    const { status, stderr } = await serve(scene)
    assert.equal(status, 3, stderr)
    assert.match(stderr, /^error: .*issued by Sentinel/m)
    assert.deepEqual(
      assumed(scene).map(({ RoleArn }) => RoleArn),
      [ROLES.prod],
    )
  })

  test('that are missing are named', async () => {
    await using scene = await openWith(over(ROLES.dev).replace('= base', '= nowhere'))
    const { status, stderr } = await serve(scene)
    assert.equal(status, 5)
    assert.match(stderr, /^error: .*source_profile that does not exist: "nowhere"$/m)
    assertNothingIssued(scene)
  })

  test('that have expired say how to log in again', async () => {
    await using scene = await openWith(over(ROLES.prod))
    scene.aws.expire(carol.accessKeyId)
    scene.write('.aws/credentials', `[base]\n${keys(carol)}`)
    const { status, stderr } = await serve(scene)
    assert.equal(status, 6)
    assert.match(stderr, /^error: .*expired.*\nhint: log in again/m)
    assertNothingIssued(scene)
  })
})

suite('a second factor', { concurrency: 2 }, () => {
  const MFA = `mfa_serial = ${ALICE_MFA_SERIAL}\n`

  test('comes from mfa_process, opens one session, and that signs what follows', async () => {
    await using scene = await openWith(over(ROLES.mfa, `${MFA}mfa_process = cat code\n`))
    scene.write('code', totpCode(ALICE_MFA_SEED, Date.now()))
    const { status, stderr } = await serve(scene)
    assert.equal(status, 0, stderr)
    assert.equal(scene.answered('GetSessionToken'), 1)
    assert.equal(scene.answered('AssumeRole'), 1)
  })

  test('goes along with the one AssumeRole under --no-session', async () => {
    await using scene = await openWith(over(ROLES.mfa, `${MFA}mfa_process = cat code\n`))
    scene.write('code', totpCode(ALICE_MFA_SEED, Date.now()))
    const { status, stderr } = await serve(scene, '--no-session')
    assert.equal(status, 0, stderr)
    assert.equal(scene.answered('GetSessionToken'), 0)
    assert.equal(assumed(scene)[0]?.SerialNumber, ALICE_MFA_SERIAL)
  })

  const unattended: Record<string, string[]> = {
    'without a terminal': ['exec', 'served', '--', 'true'],
    'with --no-interaction': ['--no-interaction', 'exec', 'served', '--', 'true'],
    'for credential_process': ['credentials', '--profile', 'served'],
  }
  for (const [what, args] of Object.entries(unattended)) {
    test(`is an error ${what}, and not waited for`, async () => {
      await using scene = await openWith(over(ROLES.mfa, MFA))
      const { status, stdout, stderr } = await scene.sentinel(args)
      assert.deepEqual([status, stdout], [5, ''], stderr)
      assert.match(stderr, /^hint: .*mfa_process/m)
      const refused = scene.log().find(({ type }) => type === 'refused')
      assert.equal(refused?.code, 'INTERACTION_REQUIRED')
      assertNothingIssued(scene)
    })
  }
})

function assertNothingIssued(scene: Scene): void {
  assert.ok(!scene.log().some(({ type }) => type === 'issued'))
  for (const operation of ['AssumeRole', 'GetSessionToken', 'AssumeRoleWithWebIdentity']) {
    assert.equal(scene.answered(operation), 0)
  }
}

function processAnswer({ accessKeyId, secretAccessKey }: Key): string {
  return JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey })
}
