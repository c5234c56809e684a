import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { cloudTrailEvents } from '../../src/demo/cloudtrail.ts'
import { ROLES } from '../../src/demo/world.ts'
import { MINUTE } from '../../src/domain/time.ts'
import { fail, openStandInTrail, recorded, type StoredEvent } from '../fixtures/aws/cloudtrail.ts'
import { openScene } from '../fixtures/scene.ts'

const USERS = '111122223333'

type TrailOptions = NonNullable<Parameters<typeof openStandInTrail>[0]>

/** A scene in which dev was issued once, and a CloudTrail that has seen what its AWS has. */
async function openTrailScene(
  others: readonly (StoredEvent | string)[] = [],
  options: TrailOptions = {},
) {
  await using stack = new AsyncDisposableStack()
  const scene = stack.use(await openScene())
  const issued = await scene.sentinel(['exec', 'dev', '--', 'true'])
  assert.equal(issued.status, 0, issued.stderr)
  const events = cloudTrailEvents(scene.aws.journal, USERS) as unknown as StoredEvent[]
  const trail = stack.use(await openStandInTrail({ events: [...events, ...others], ...options }))
  const env = { AWS_ENDPOINT_URL_CLOUDTRAIL: trail.url }
  const args = (given: readonly string[]) => ['audit', 'cloudtrail', '--aws-profile=base', ...given]
  const opened = stack.move()
  return {
    scene,
    trail,
    audit: (...given: string[]) => scene.sentinel(args(given), { env }),
    start: (...given: string[]) => scene.start(args(given), { env }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** An AssumeRole of dev by mallory, `age` milliseconds ago. */
function bypass(age: number, changes: Readonly<Record<string, unknown>> = {}): StoredEvent {
  return recorded('unstamped', {
    eventTime: new Date(Date.now() - age).toISOString().replace(/\.\d+/, ''),
    requestParameters: { roleArn: ROLES.dev, roleSessionName: 'mallory' },
    ...changes,
  })
}

suite('sentinel audit cloudtrail, on the binary', () => {
  test('finds nothing where Sentinel made every session, and looks in both regions', async () => {
    await using world = await openTrailScene()
    const { status, stdout, stderr } = await world.audit('--format', 'json')
    assert.equal(status, 0, stderr)
    const [{ request_id }] = world.scene.log().filter(({ type }) => type === 'issued') as [
      { request_id: string },
    ]
    assert.partialDeepStrictEqual(JSON.parse(stdout), [
      { status: 'managed', user: 'alice', profile: 'dev', role_arn: ROLES.dev, request_id },
    ])
    const asked = world.trail.lookups.map(({ region, value }) => `${region} ${value}`)
    assert.deepEqual(asked.toSorted(), [
      'eu-central-1 AssumeRole',
      'eu-central-1 AssumeRoleWithSAML',
      'eu-central-1 AssumeRoleWithWebIdentity',
      'us-east-1 AssumeRole',
      'us-east-1 AssumeRoleWithSAML',
      'us-east-1 AssumeRoleWithWebIdentity',
    ])
    assert.match(stderr, /note: 0 unmanaged, 1 managed\n/)
  })

  test('finds the session of somebody who went around it, and ends with 1', async () => {
    await using world = await openTrailScene([bypass(30 * MINUTE)])
    const { status, stdout, stderr } = await world.audit('--since', '1h')
    assert.equal(status, 1, stderr)
    const [heading, first, second] = stdout.split('\n')
    assert.match(heading!, /^SESSION +TIME +ROLE +BY$/)
    assert.match(first!, /^unmanaged +20\S+Z +777788889999\/Dev +user\/mallory$/)
    assert.match(second!, /^managed +20\S+Z +777788889999\/Dev +alice$/)
    assert.match(stderr, /warning: this is the trail of account 111122223333: of roles in /)
  })

  test('finds every one over many pages, twice a second', async () => {
    const many = Array.from({ length: 101 }, (_, index) =>
      bypass(10 * MINUTE + index * 1000, { eventID: `e${index}` }),
    )
    await using world = await openTrailScene(many)
    const { status, stdout } = await world.audit('--format', 'csv', '--regions', 'eu-central-1')
    assert.equal(status, 1)
    const ids = new Set([...stdout.matchAll(/,(e\d+),/g)].map(([, id]) => id))
    assert.equal(ids.size, 101)
    assert.equal(stdout.match(/^unmanaged,/gm)?.length, 101)
    const answered = world.trail.lookups.filter(({ outcome }) => outcome === 'answered')
    assert.equal(answered.length, 5)
  })

  test('waits when others use the rate up', async () => {
    const busy = [true, false, true]
    const isBusy = () => busy.shift() ?? false
    await using world = await openTrailScene([bypass(30 * MINUTE)], { isBusy })
    const { status, stderr } = await world.audit('--regions', 'eu-central-1')
    assert.equal(status, 1, stderr)
    const outcomes = world.trail.lookups.map(({ outcome }) => outcome)
    assert.equal(outcomes.filter((outcome) => outcome === 'throttled').length, 2)
  })

  test('says which permission is missing, with 6', async () => {
    await using world = await openTrailScene([], { script: () => fail('AccessDeniedException') })
    const { status, stdout, stderr } = await world.audit()
    assert.equal(status, 6)
    assert.equal(stdout, '')
    assert.match(stderr, /error: CloudTrail in \S+ could not be asked: AccessDeniedException\n/)
    assert.match(stderr, /hint: allow cloudtrail:LookupEvents/)
  })

  test('ends with 6 when an event cannot be read', async () => {
    await using world = await openTrailScene(['{"torn'])
    const { status, stderr } = await world.audit('--regions', 'eu-central-1')
    assert.equal(status, 6)
    assert.match(stderr, /warning: 3 events could not be read, and may be unmanaged sessions/)
  })

  test('ends with 130 at once on Ctrl-C', async () => {
    await using world = await openTrailScene([], { script: () => 'hang' })
    const { process: child, ended, saw } = world.start()
    await saw(/this is the trail of account/)
    while (world.trail.lookups.length === 0) await new Promise(setImmediate)
    child.kill('SIGINT')
    const { status, stdout } = await ended
    assert.equal(status, 130)
    assert.equal(stdout, '')
  })

  test('finds stamped sessions of another machine claimed, until it is given its log', async () => {
    await using world = await openTrailScene()
    const { scene } = world
    const own = `${scene.home}/.local/state/sentinel/decisions.jsonl`
    const elsewhere = scene.write('elsewhere.jsonl', '')
    const env = { SENTINEL_LOG_FILE: elsewhere }
    const other = await scene.sentinel(['exec', 'dev', '--', 'true'], { env })
    assert.equal(other.status, 0, other.stderr)
    const events = cloudTrailEvents(scene.aws.journal, USERS) as unknown as StoredEvent[]
    await using trail = await openStandInTrail({ events })
    const audit = (...files: string[]) =>
      scene.sentinel(
        ['audit', 'cloudtrail', '--aws-profile=base', '--regions=eu-central-1', ...files],
        { env: { AWS_ENDPOINT_URL_CLOUDTRAIL: trail.url } },
      )
    const alone = await audit()
    assert.equal(alone.status, 1)
    assert.match(alone.stdout, /^claimed .*user\/alice$/m)
    const both = await audit(own, elsewhere)
    assert.equal(both.status, 0, both.stderr + both.stdout)
    assert.equal(both.stdout.match(/^managed /gm)?.length, 2)
  })
})
