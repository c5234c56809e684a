import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { openScene, POLICY, type Running, type Scene } from '../fixtures/scene.ts'

const ASK_SERVER = join(import.meta.dirname, '../fixtures/e2e/ask-server.ts')

const PARAMETER = '/sentinel/policy'
const NOBODY = POLICY.replace('effect: allow', 'effect: deny')

/** A policy is obeyed within 35 s; a child that asks each second sees it a second later at most. */
const BOUND = 36_500

/** The words that start a server over a child that asks; `count` times each second. */
function asking(count: number, { firstMs = 0, flags = [] as string[] } = {}): string[] {
  const child = [process.execPath, ASK_SERVER, String(count), '1000', String(firstMs)]
  return ['exec', '--server', ...flags, '--policy-parameter', PARAMETER, 'dev', '--', ...child]
}

// All of these wait for the next fetch of a policy: side by side.
suite('a running server', { concurrency: true }, () => {
  const changes: [what: string, change: (scene: Scene) => void, code: string][] = [
    [
      'the removal of the rule that allowed',
      ({ aws }) => aws.putParameter(PARAMETER, NOBODY),
      'POLICY_DENIED',
    ],
    [
      'a parameter that is no policy any more',
      ({ aws }) => aws.putParameter(PARAMETER, POLICY.replace('effect', 'efect')),
      'POLICY_INVALID',
    ],
    [
      'a parameter that was deleted',
      ({ aws }) => aws.deleteParameter(PARAMETER),
      'POLICY_NOT_FOUND',
    ],
    [
      'a parameter that was deleted and made again',
      ({ aws }) => {
        aws.deleteParameter(PARAMETER)
        aws.putParameter(PARAMETER, POLICY)
      },
      'POLICY_ROLLED_BACK',
    ],
  ]
  for (const [what, change, code] of changes) {
    test(`obeys ${what} within 35 s`, async () => {
      await using scene = await openScene()
      scene.aws.putParameter(PARAMETER, NOBODY)
      scene.aws.putParameter(PARAMETER, POLICY)
      const running = scene.start(asking(40))
      await running.saw(/^200 ASIADEMO/m)

      const changedAt = performance.now()
      change(scene)

      await running.saw(new RegExp(`^403 ${onTheWire(code)}$`, 'm'))
      assert.ok(performance.now() - changedAt < BOUND)
      const { stdout, stderr } = await running.ended
      assert.doesNotMatch(stdout.slice(stdout.indexOf('403')), /^200/m)
      assert.equal(scene.answered('AssumeRole'), 1)
      assert.match(stderr, REASONS[code] ?? assert.fail())
      const [refused] = scene.log().filter(({ type }) => type === 'refused')
      assert.partialDeepStrictEqual(refused, { code, profile: 'dev', mode: 'server' })
    })
  }

  test('goes on with a parameter that was made again when it may', async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, NOBODY)
    scene.aws.putParameter(PARAMETER, POLICY)
    const running = scene.start(asking(38, { flags: ['--accept-policy-reset'] }))
    await running.saw(/^200 ASIADEMO/m)

    scene.aws.deleteParameter(PARAMETER)
    scene.aws.putParameter(PARAMETER, POLICY.replace('name: developers', 'name: renamed'))

    const { stdout } = await running.ended
    assert.doesNotMatch(stdout, /^[345]/m)
    const issued = scene.log().filter(({ type }) => type === 'issued')
    assert.partialDeepStrictEqual(issued, [
      { rule: 'developers', policy: { version: 2 } },
      { rule: 'renamed', policy: { version: 1 } },
    ])
  })

  test('goes on, and says so, while SSM fails', async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, POLICY)
    // Asked for the first time when its policy is older than 35 s, it has to issue under that.
    const running = scene.start(asking(1, { firstMs: 37_000, flags: ['--lazy'] }))
    await running.saw(/ready/)

    failing(scene)

    const { stdout, stderr } = await running.ended
    assert.match(stdout, /^200 ASIADEMO/m)
    assert.equal(stderr.match(/^warning: the policy ssm:.* cannot be fetched/gm)?.length, 1, stderr)
    const issued = scene.log().find(({ type }) => type === 'issued')
    assert.partialDeepStrictEqual(issued, { stale_policy: true, policy: { version: 1 } })
  })

  test('obeys a change of its file within 35 s', async () => {
    await using scene = await openScene()
    const words = asking(40).filter((word) => !['--policy-parameter', PARAMETER].includes(word))
    const running = scene.start(words)
    await running.saw(/^200 ASIADEMO/m)

    const changedAt = performance.now()
    scene.write('policy.yaml', NOBODY)

    await running.saw(/^403 PolicyDenied$/m)
    assert.ok(performance.now() - changedAt < BOUND)
    await stop(running)
  })
})

suite('a policy in a parameter', { concurrency: 2 }, () => {
  test('decides, and its version and hash are in the record', async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, NOBODY)
    scene.aws.putParameter(PARAMETER, POLICY)

    const result = await scene.sentinel(once())

    assert.equal(result.status, 0, result.stderr)
    const issued = scene.log().find(({ type }) => type === 'issued')
    const reference = `ssm:eu-central-1:${PARAMETER}`
    assert.partialDeepStrictEqual(issued, { policy: { reference, version: 2 } })
  })

  test('may be gzipped, in base64, under a line that says so', async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, compressed(POLICY))

    const allowed = await scene.sentinel(once())
    scene.aws.putParameter(PARAMETER, compressed(NOBODY))
    const refused = await scene.sentinel(once())

    assert.deepEqual([allowed.status, refused.status], [0, 3], allowed.stderr + refused.stderr)
  })

  const unusable: [what: string, value: string | undefined, status: number][] = [
    ['that is not there', undefined, 5],
    ['that says it is compressed and is not', `#sentinel:gzip+base64\n${POLICY}`, 5],
    ['that is no policy', 'rules: []\n', 5],
  ]
  for (const [what, value, status] of unusable) {
    test(`${what} issues nothing`, async () => {
      await using scene = await openScene()
      if (value !== undefined) scene.aws.putParameter(PARAMETER, value)

      const result = await scene.sentinel(once())

      assert.equal(result.status, status, result.stderr)
      assert.match(result.stderr, /^error: .*\/sentinel\/policy/m)
      assert.equal(scene.answered('AssumeRole'), 0)
    })
  }

  test('that SSM does not give issues nothing', async () => {
    await using scene = await openScene()
    scene.aws.putParameter(PARAMETER, POLICY)
    failing(scene)

    const result = await scene.sentinel(once())

    assert.equal(result.status, 6, result.stderr)
    assert.match(result.stderr, /^error: the policy in ssm:.* could not be read/m)
    assert.equal(scene.answered('AssumeRole'), 0)
  })
})

/** What stderr says of each refusal. */
const REASONS: Record<string, RegExp> = {
  POLICY_DENIED: /^refused: profile dev is refused/m,
  POLICY_INVALID: /^refused: .*"efect"/m,
  POLICY_NOT_FOUND: /^refused: there is no policy in ssm:/m,
  POLICY_ROLLED_BACK: /^refused: .* went back from version 2 to 1\nhint: .*--accept-policy-reset/m,
}

/** `POLICY_DENIED` as SDKs see it: `PolicyDenied`. */
function onTheWire(code: string): string {
  return code.toLowerCase().replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function once(): string[] {
  return ['exec', '--policy-parameter', PARAMETER, 'dev', '--', 'true']
}

function failing({ aws }: Scene): void {
  const outcome = { kind: 'internal_error' } as const
  aws.script({ operation: 'GetParameter', times: Infinity, outcome })
}

function compressed(policy: string): string {
  const lines =
    gzipSync(policy)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  return `#sentinel:gzip+base64\n${lines.join('\n')}\n`
}

/** Ends a server before its child has asked as often as it would. */
async function stop({ process, ended }: Running): Promise<void> {
  process.kill('SIGTERM')
  await Promise.race([ended, sleep(5000)])
}
