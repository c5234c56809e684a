import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { openHome } from '../fixtures/aws/home.ts'
import { openRoom, QUIETLY } from '../fixtures/aws/room.ts'
import { openScriptedSTS, refuse, succeed } from '../fixtures/aws/scripted-sts.ts'

const SERIAL = 'arn:aws:iam::111122223333:mfa/alice'
const ARN = 'arn:aws:iam::444455556666:role/Prod'
const HOP = 'arn:aws:iam::444455556666:role/Hop'
const CORP = '[profile corp]\naws_access_key_id = AKIACORP\naws_secret_access_key = s3cr3t\n'
const PROD = `[profile prod]\nrole_arn = ${ARN}\nsource_profile = corp\nmfa_serial = ${SERIAL}\n`
const ASKED = { mayPrompt: true, signal: QUIETLY.signal }

/** A prompt that answers with codes that count up, and remembers what it was asked. */
function openPrompt() {
  const asked: string[] = []
  const promptMFACode = async (serial: string) => {
    asked.push(serial)
    return String(111110 + asked.length)
  }
  return { asked, promptMFACode }
}

suite('an MFA session', () => {
  test('is opened once, and is the base of everything afterwards', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    const { asked, promptMFACode } = openPrompt()
    using room = openRoom({ promptMFACode })
    const first = await room.profiles.resolve('prod', ASKED)
    const again = await room.profiles.resolve('prod', QUIETLY)
    assert.deepEqual(asked, [SERIAL])
    assert.deepEqual([first.base.accessKeyId, again.base.accessKeyId], ['ASIA1', 'ASIA1'])
    assert.deepEqual(first.role, { arn: ARN })
    assert.deepEqual(
      sts.requests.map(({ action, input, signer }) => ({ action, input, signer })),
      [
        {
          action: 'GetSessionToken',
          input: { SerialNumber: SERIAL, TokenCode: '111111', DurationSeconds: '43200' },
          signer: 'AKIACORP',
        },
      ],
    )
  })

  test('signs the inner hops, which get no code', async () => {
    await using sts = await openScriptedSTS()
    const config = `${PROD.replace('= corp', '= hop')}[profile hop]\nrole_arn = ${HOP}\nsource_profile = corp\nmfa_serial = ${SERIAL}\n${CORP}`
    using _home = openHome({ config }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom(openPrompt())
    await room.profiles.resolve('prod', ASKED)
    const [session, hop] = sts.requests
    assert.equal(session?.action, 'GetSessionToken')
    assert.deepEqual([hop?.input.RoleArn, hop?.signer], [HOP, 'ASIA1'])
    assert.ok(!('TokenCode' in (hop?.input ?? {})) && !('SerialNumber' in (hop?.input ?? {})))
  })

  test('is opened for a device that the keys themselves name', async () => {
    await using sts = await openScriptedSTS()
    const config = `${PROD.replace(/mfa.*\n/, '')}${CORP}mfa_serial = ${SERIAL}\n`
    using _home = openHome({ config }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom(openPrompt())
    assert.equal((await room.profiles.resolve('prod', ASKED)).base.accessKeyId, 'ASIA1')
    assert.equal((await room.profiles.resolve('corp', QUIETLY)).base.accessKeyId, 'ASIA1')
  })

  test('lasts as long as the setting says', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom({ ...openPrompt(), sessionDuration: 900 })
    await room.profiles.resolve('prod', ASKED)
    assert.equal(sts.requests[0]?.input.DurationSeconds, '900')
  })

  test('is not opened for credentials that are a session already', async () => {
    await using sts = await openScriptedSTS()
    const config = `${PROD}${CORP}aws_session_token = t0k3n\n`
    using _home = openHome({ config }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom()
    assert.equal((await room.profiles.resolve('prod', QUIETLY)).base.accessKeyId, 'AKIACORP')
    assert.deepEqual(sts.requests, [])
  })

  test('is opened anew when it is about to end, if somebody can be asked', async () => {
    const soon = new Date(Date.now() + 30_000).toISOString()
    await using sts = await openScriptedSTS((request, count) => succeed(request, count, soon))
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom(openPrompt())
    await room.profiles.resolve('prod', ASKED)
    await assert.rejects(room.profiles.resolve('prod', QUIETLY), {
      code: 'BASE_CREDENTIALS_EXPIRED',
      message: `the MFA session of ${SERIAL} has ended`,
    })
    assert.equal((await room.profiles.resolve('prod', ASKED)).base.accessKeyId, 'ASIA2')
    assert.equal(sts.requests[1]?.input.TokenCode, '111112')
  })

  test('needs somebody to ask', async () => {
    using _home = openHome({ config: PROD + CORP })
    using mute = openRoom()
    using room = openRoom(openPrompt())
    const refused = { code: 'INTERACTION_REQUIRED', hint: /mfa_process in profile "prod"/ }
    await assert.rejects(mute.profiles.resolve('prod', ASKED), refused)
    await assert.rejects(room.profiles.resolve('prod', QUIETLY), refused)
  })

  test('tells of a code that STS does not take', async () => {
    await using sts = await openScriptedSTS(() => refuse('AccessDenied', 403, 'bad code 111111'))
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom(openPrompt())
    await assert.rejects(room.profiles.resolve('prod', ASKED), {
      code: 'STS_REFUSED',
      message: /bad code \[secret\]$/,
      hint: /next code/,
    })
  })

  test('is not asked of STS with something that is no code', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom({ promptMFACode: async () => '12345' })
    await assert.rejects(room.profiles.resolve('prod', ASKED), { code: 'USAGE' })
    assert.deepEqual(sts.requests, [])
  })

  test('is given up when the prompt is', async () => {
    using _home = openHome({ config: PROD + CORP })
    const signal = AbortSignal.timeout(50)
    using room = openRoom({ promptMFACode: () => new Promise(() => {}) })
    // Keeps the process alive while nothing else does: the timer of a signal does not.
    const alive = setTimeout(() => {}, 5000)
    const resolving = room.profiles.resolve('prod', { mayPrompt: true, signal })
    await assert.rejects(resolving, { code: 'INTERRUPTED' })
    clearTimeout(alive)
  })
})

suite('mfa_process', () => {
  const withProcess = (command: string) => `${PROD}mfa_process = ${command}\n${CORP}`

  test('gives the code without a person, inside SENTINEL_RESOLVING', async () => {
    await using sts = await openScriptedSTS()
    using home = openHome({}, { AWS_ENDPOINT_URL_STS: sts.url })
    const seen = `${home.path}/seen`
    home.write('.aws/config', withProcess(`printenv SENTINEL_RESOLVING > ${seen}; echo 654321`))
    using room = openRoom()
    assert.equal((await room.profiles.resolve('prod', QUIETLY)).base.accessKeyId, 'ASIA1')
    assert.equal(sts.requests[0]?.input.TokenCode, '654321')
    assert.equal(readFileSync(seen, 'utf8'), 'prod\n')
  })

  for (const command of [
    'exit 1',
    'echo 654321; exit 1',
    'echo nothing',
    'no-such-command-here 2>&1',
  ]) {
    test(`is not believed when it is "${command}"`, async () => {
      using _home = openHome({ config: withProcess(command) })
      using room = openRoom()
      await assert.rejects(room.profiles.resolve('prod', QUIETLY), {
        code: 'PROFILE_INVALID',
        message: /mfa_process/,
      })
    })
  }

  test('is ended when it takes too long', async () => {
    using _home = openHome({ config: withProcess('exec sleep 2') })
    using room = openRoom({ providerTimeoutMs: 200 })
    await assert.rejects(room.profiles.resolve('prod', QUIETLY), { code: 'PROFILE_INVALID' })
  })
})

suite('MFA without a session', () => {
  test('passes serial and code on to the one AssumeRole', async () => {
    await using sts = await openScriptedSTS()
    using _home = openHome({ config: PROD + CORP }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom({ ...openPrompt(), mfaSession: 'pass-through' })
    const resolved = await room.profiles.resolve('prod', ASKED)
    assert.equal(resolved.base.accessKeyId, 'AKIACORP')
    assert.deepEqual(resolved.role, {
      arn: ARN,
      mfa: { serialNumber: SERIAL, tokenCode: '111111' },
    })
    assert.deepEqual(sts.requests, [])
  })

  test('gives the code to the first hop of a chain, the only one that the user signs', async () => {
    await using sts = await openScriptedSTS()
    const config = `${PROD.replace('= corp', '= hop')}[profile hop]\nrole_arn = ${HOP}\nsource_profile = corp\n${CORP}`
    using _home = openHome({ config }, { AWS_ENDPOINT_URL_STS: sts.url })
    using room = openRoom({ ...openPrompt(), mfaSession: 'pass-through' })
    const resolved = await room.profiles.resolve('prod', ASKED)
    assert.deepEqual(resolved.role, { arn: ARN })
    const { SerialNumber, TokenCode } = sts.requests[0]?.input ?? {}
    assert.deepEqual([SerialNumber, TokenCode], [SERIAL, '111111'])
  })

  test('needs somebody to ask as well', async () => {
    using _home = openHome({ config: PROD + CORP })
    using room = openRoom({ mfaSession: 'pass-through' })
    const resolving = room.profiles.resolve('prod', QUIETLY)
    await assert.rejects(resolving, { code: 'INTERACTION_REQUIRED' })
  })
})
