import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openScene, type Result, type Scene } from '../fixtures/scene.ts'
import { newKey } from '../fixtures/signing.ts'
import { missing } from '../fixtures/tools.ts'

const LOG = '.local/state/sentinel/decisions.jsonl'

/** A log with an issuance, a refusal and an issuance, a key, and a statement about the log. */
async function openSignedScene(): Promise<{
  readonly scene: Scene
  readonly [Symbol.asyncDispose]: () => Promise<void>
}> {
  await using stack = new AsyncDisposableStack()
  const scene = stack.use(await openScene())
  const { privatePEM, publicPEM } = newKey()
  scene.write('key.pem', privatePEM)
  scene.write('public.pem', publicPEM)
  for (const profile of ['dev', 'prod', 'dev']) await scene.sentinel(['export', profile])
  const signing = ['audit', 'sign', '--key', 'key.pem', '--out', 'statement.json']
  const signed = await scene.sentinel(signing)
  assert.equal(signed.status, 0, signed.stderr)
  const opened = stack.move()
  return { scene, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

const verify = (scene: Scene, ...args: string[]) => scene.sentinel(['audit', 'verify', ...args])
const BY_KEY = ['--signature', 'statement.json', '--public-key', 'public.pem']

/**
 * Does to the log what only who can write all of it can: changes a line, and computes anew every
 * hash that comes from it.
 */
function rewrite(scene: Scene, change: (line: string) => string): void {
  const path = join(scene.home, LOG)
  const renamed = new Map<string, string>()
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const rewritten = lines.map((line, place) => {
    const linked = line.replace(/[0-9a-f]{64}/g, (hash) => renamed.get(hash) ?? hash)
    const changed = place === 1 ? change(linked) : linked
    renamed.set(sha256(line), sha256(changed))
    return changed
  })
  assert.notDeepEqual(rewritten, lines)
  writeFileSync(path, `${rewritten.join('\n')}\n`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function issuedIn(scene: Scene): Record<string, unknown> {
  return scene.log().find(({ type }) => type === 'issued') ?? assert.fail('nothing was issued')
}

suite('a signed log', { concurrency: 2 }, () => {
  test('is as it was signed, also when it has grown', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened

    const before = await verify(scene, ...BY_KEY)
    await scene.sentinel(['export', 'dev'])
    const after = await verify(scene, ...BY_KEY)

    assert.equal(before.status, 0, before.stdout + before.stderr)
    assert.equal(after.status, 0, after.stdout + after.stderr)
    const { lines } = JSON.parse(readFileSync(join(scene.home, 'statement.json'), 'utf8'))
    assert.equal(lines, scene.log().length - 3)
  })

  test('that was rewritten whole agrees with itself, and not with what was signed', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    rewrite(scene, (line) => line.replace('"user":"alice"', '"user":"mallory"'))
    await scene.sentinel(['export', 'dev'])

    const alone = await verify(scene)
    const held = await verify(scene, ...BY_KEY)

    assert.equal(alone.status, 0, alone.stdout + alone.stderr)
    assert.equal(held.status, 1)
    assert.match(held.stdout, /some of the first 9 lines were changed since they were signed at /)
  })

  test('that was cut is not what was signed', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    const lines = readFileSync(join(scene.home, LOG), 'utf8').split('\n')
    writeFileSync(join(scene.home, LOG), `${lines.slice(0, 6).join('\n')}\n`)

    const alone = await verify(scene)
    const held = await verify(scene, ...BY_KEY)

    assert.equal(alone.status, 0, alone.stdout + alone.stderr)
    assert.equal(held.status, 1)
    assert.match(held.stdout, /of the 9 lines that were signed at \S+ only 6 are there/)
  })

  test('is held to no statement that another key signed', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    scene.write('public.pem', newKey().publicPEM)
    const { status, stdout, stderr } = await verify(scene, ...BY_KEY)
    assert.equal(status, 1)
    assert.match(stdout + stderr, /not signed by this key/)
  })

  test('of which only a part is left is held to its heads', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    copyFileSync(join(scene.home, LOG), join(scene.home, 'part.jsonl'))
    const whole = await verify(scene, 'part.jsonl', '--partial', ...BY_KEY)
    rewrite(scene, (line) => line.replace('"user":"alice"', '"user":"mallory"'))
    const rewritten = await verify(scene, LOG, '--partial', ...BY_KEY)

    assert.equal(whole.status, 0, whole.stdout + whole.stderr)
    assert.equal(rewritten.status, 1)
    assert.match(rewritten.stdout, /line 3:\w{64} of stream \w{20}, signed at \S+, has another/)
  })

  test('that is not sound is not signed again', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    const text = readFileSync(join(scene.home, LOG), 'utf8')
    writeFileSync(join(scene.home, LOG), text.replace('"user":"alice"', '"user":"carol"'))
    const { status, stdout, stderr } = await scene.sentinel(['audit', 'sign', '--key', 'key.pem'])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^refused: nothing was signed, as the log is not sound: 1 problem; /m)
  })

  test('is found to be as signed by OpenSSL too', { skip: missing('openssl') }, async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    // As docs/decision-log.md tells it.
    scene.write(
      'check.sh',
      `unsigned=$(sed 's/,"algorithm".*/}/' statement.json)
digest=$(printf %s "$unsigned" | openssl dgst -sha256 -r | cut -d' ' -f1)
printf 'sentinel.log-statement.v1\\n%s' "$digest" > message
sed 's/.*"signature":"//; s/".*//' statement.json | openssl base64 -d -A > signature
openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature
`,
    )
    const right = await scene.run(['sh', 'check.sh'])
    const text = readFileSync(join(scene.home, 'statement.json'), 'utf8')
    scene.write('statement.json', text.replace('"lines":9', '"lines":8'))
    const wrong = await scene.run(['sh', 'check.sh'])

    assert.equal(right.status, 0, right.stderr)
    assert.match(right.stdout, /Signature Verified Successfully/)
    assert.notEqual(wrong.status, 0)
  })
})

suite('a proof', { concurrency: 2 }, () => {
  /** Where neither the log nor the key is: another machine. */
  const elsewhere = (scene: Scene, ...args: string[]): Promise<Result> =>
    scene.sentinel(['audit', 'verify', '--proof', 'away/proof.json', ...args], {
      env: { HOME: join(scene.home, 'away'), XDG_STATE_HOME: undefined },
    })

  async function take(scene: Scene, ...args: string[]): Promise<string> {
    const { request_id: id } = issuedIn(scene)
    const proven = await scene.sentinel(['audit', 'prove', String(id), ...args])
    assert.equal(proven.status, 0, proven.stderr)
    mkdirSync(join(scene.home, 'away'))
    renameSync(join(scene.home, LOG), join(scene.home, 'hidden'))
    scene.write('away/proof.json', proven.stdout)
    return proven.stderr
  }

  for (const [how, args] of [
    ['signed now', ['--key', 'key.pem']],
    ['signed before', ['--signature', 'statement.json']],
  ] as const) {
    test(`${how} proves on another machine who got what`, async () => {
      await using opened = await openSignedScene()
      const { scene } = opened
      const issued = issuedIn(scene)
      await take(scene, ...args)

      const text = await elsewhere(scene, '--public-key', 'public.pem')
      const json = await elsewhere(scene, '--public-key', 'public.pem', '--output', 'json')

      assert.equal(text.status, 0, text.stdout + text.stderr)
      assert.match(text.stdout, /^proven: alice got credentials for dev at 20\S+Z, until 20\S+Z$/m)
      assert.match(text.stdout, new RegExp(`^request id +${issued.request_id}$`, 'm'))
      assert.match(text.stdout, /^line +2 of 9$/m)
      assert.match(text.stdout, /^signed by +Ed25519 key \w{64}$/m)
      assert.partialDeepStrictEqual(JSON.parse(json.stdout), { proven: true, record: issued })
    })
  }

  test('that was changed proves nothing', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    await take(scene, '--key', 'key.pem')
    const text = readFileSync(join(scene.home, 'away/proof.json'), 'utf8')

    scene.write('away/proof.json', text.replace('\\"user\\":\\"alice\\"', '\\"user\\":\\"carol\\"'))
    const changed = await elsewhere(scene, '--public-key', 'public.pem')
    scene.write('away/proof.json', text.replace('"lines":9', '"lines":90'))
    const restated = await elsewhere(scene, '--public-key', 'public.pem')
    scene.write('away/proof.json', text.replace('{', '{ '))
    const reformed = await elsewhere(scene, '--public-key', 'public.pem')

    assert.deepEqual([changed.status, restated.status, reformed.status], [1, 1, 5])
    assert.match(changed.stdout, /^not proven:\n {2}the path does not lead from this line/)
    assert.match(restated.stdout, /was not signed by this key/)
    assert.match(reformed.stderr, /^error: the proof is not written as Sentinel writes one$/m)
  })

  test('that nobody signed proves something only to who knows the root', async () => {
    await using opened = await openSignedScene()
    const { scene } = opened
    const told = await take(scene)
    const [root = ''] = /\b9:[0-9a-f]{64}\b/.exec(told) ?? []

    const trusting = await elsewhere(scene, '--root', root)
    const nothing = await elsewhere(scene)
    const another = await elsewhere(scene, '--root', root.replace('9:', '8:'))

    assert.match(told, /^warning: nobody signed the proof/m)
    assert.deepEqual([trusting.status, nothing.status, another.status], [0, 1, 1])
    assert.match(nothing.stdout, /^ {2}the record is in a log with the root 9:\w{64}, and nothing/m)
  })
})
