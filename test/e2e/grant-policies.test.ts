import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ROLES } from '../../src/demo/world.ts'
import { type GrantScene, openGrantScene } from '../fixtures/e2e/grant-scene.ts'
import type { Result } from '../fixtures/scene.ts'

const MINUTE = 60_000

const RULES = `\
rules:
  - { name: production, effect: require_approval, conditions: { profiles: [prod] } }
`

/** A policy under which these approve, for as long as these words say. */
function policyWith(approvals: string, rules = RULES): string {
  return `\
version: "1"
principal_accounts: ["111122223333"]
profiles: { prod: { role: "${ROLES.prod}" } }
${rules}${approvals}
`
}

function approvals(words: string): string {
  return `approvals: [{ name: second-pair-of-eyes, profiles: [prod], ${words} }]`
}

const USUAL = policyWith(approvals('users: [alice], approvers: [bob, "sso:*@corp.example"]'))

suite('a grant under a policy that has changed since', { concurrency: 2 }, () => {
  /** What alice gets under `policy` by an approval of two hours, given under the usual one. */
  async function exportUnder(scene: GrantScene, policy: string): Promise<Result> {
    await scene.approved('alice', 'bob', 'prod', { duration: '2h' })
    scene.scene.write('policy.yaml', policy)
    return scene.as('alice', ['export', 'prod', '--duration', '2h'])
  }

  test('is shortened to what its rule allows now, counted from its beginning', async () => {
    await using scene = await openGrantScene(USUAL)
    const words = 'users: [alice], approvers: [bob], max_duration: 30m'

    const { status, stdout } = await exportUnder(scene, policyWith(approvals(words)))

    assert.equal(status, 0)
    const [, expiration = ''] = /^AWS_CREDENTIAL_EXPIRATION=(.+)$/m.exec(stdout) ?? []
    const [review = {}] = scene.file().rows('request_reviews')
    const left = Date.parse(String(review.created_at)) + 30 * MINUTE - Date.parse(expiration)
    assert.ok(left >= 0 && left < MINUTE, expiration)
  })

  for (const [what, policy] of Object.entries({
    'no rule covers': policyWith(''),
    'its rule covers for others only': policyWith(approvals('users: [bob], approvers: [bob]')),
    'a deny comes before': policyWith(
      approvals('users: [alice], approvers: [bob]'),
      'rules: [{ name: freeze, effect: deny, conditions: { profiles: [prod] } }]\n',
    ),
  })) {
    test(`lifts nothing that ${what}`, async () => {
      await using scene = await openGrantScene(USUAL)
      const { status, stderr } = await exportUnder(scene, policy)
      assert.equal(status, 3, stderr)
      assert.match(stderr, /^error: profile prod is refused: /m)
    })
  }
})

suite('decisions at the same time', () => {
  test('an approval and a denial: whichever came first, a denial that was filed holds', async () => {
    await using scene = await openGrantScene(USUAL)
    for (let round = 0; round < 3; round++) {
      const id = await scene.request('alice', 'prod')
      const [approval, denial] = await Promise.all([
        scene.as('bob', ['approve', id]),
        scene.as('carol', ['deny', id, '--comment', 'not today']),
      ])

      const { status } = await scene.told('alice', ['request', 'show', id])
      assert.ok([0, 4].includes(approval.status ?? -1), approval.stderr)
      assert.ok([0, 4].includes(denial.status ?? -1), denial.stderr)
      assert.equal(status, denial.status === 0 ? 'denied' : 'approved')
      const { status: access } = await scene.as('alice', ['export', 'prod'])
      assert.equal(access, status === 'approved' ? 0 : 3)
      if (status === 'approved') {
        await scene.told('bob', ['request', 'revoke', id, '--reason', 'done'])
      }
    }
  })
})
