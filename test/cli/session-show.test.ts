import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { sentinel } from '../fixtures/session-cli.ts'
import { ALICE, anId, aSession, aStoreOfKinds, aStoreWith } from '../fixtures/sessions.ts'

suite('sentinel session show', () => {
  test('shows everything that is known of one', async () => {
    const { status, stdout } = await sentinel(['session', 'show', anId('e0')], {
      store: await aStoreOfKinds(),
    })
    assert.equal(status, 0)
    assert.equal(
      stdout,
      `id                          00000000000000e0
status                      revoked
status as stored            revoked
user                        bob
principal                   arn:aws:iam::111122223333:user/alice
profile                     prod
role                        arn:aws:iam::444455556666:role/Prod
source identity             sentinel=alice=policy=mzxw6ytboi3damrqgaya
credentials served          3
started at                  2026-01-14T11:20:00.000Z
last used at                2026-01-14T11:59:00.000Z
credentials may work until  2026-01-14T12:14:00.000Z
lease until                 2026-01-14T12:02:00.000Z
revoked at                  2026-01-14T11:54:00.000Z
revoked by                  carol
revoked reason              laptop stolen
server instance id          mzxw6ytboi3damrqgaya
host                        laptop
pid                         4711
version                     1.2.3
created at                  2026-01-14T11:20:00.000Z
updated at                  2026-01-14T11:54:00.000Z
`,
    )
  })

  test('shows how one ended, and leaves out what is not there', async () => {
    const { stdout } = await sentinel(['session', 'show', anId('d0')], {
      store: await aStoreOfKinds(),
    })
    assert.match(stdout, /^status +expired\n/m)
    assert.match(stdout, /^ended at +2026-01-14T11:55:00.000Z\nend reason +SIGTERM\n/m)
    assert.doesNotMatch(stdout, /revoked|null/)
  })

  test('prints the same as JSON', async () => {
    const { stdout } = await sentinel(['session', 'show', anId('b0'), '--output', 'json'], {
      store: await aStoreOfKinds(),
    })
    const { id, shown_status, status, revoked_at } = JSON.parse(stdout)
    assert.deepEqual(
      { id, shown_status, status, revoked_at },
      { id: anId('b0'), shown_status: 'stale', status: 'active', revoked_at: null },
    )
  })

  test('takes the beginning of an id', async () => {
    const id = anId('b').replace('0000', 'beef') as typeof ALICE
    const store = await aStoreWith(aSession(), aSession({ id }))
    const { stdout } = await sentinel(['session', 'show', 'beef'], { store })
    assert.match(stdout, /^id +beef00000000000b\n/)
  })

  test('escapes what would repaint the terminal', async () => {
    const store = await aStoreWith(aSession({ host: 'x\u009b2J\nstatus active' }))
    const { stdout } = await sentinel(['session', 'show', ALICE], { store })
    assert.match(stdout, /^host +x\\u009b2J\\nstatus active$/m)
  })

  const refusals: [what: string, id: string, exit: number, stderr: RegExp][] = [
    [
      'several ids that begin so',
      '0000',
      4,
      /error: several sessions begin with 0000: 00000000000000a0, 0+b0, .*\nhint: give more digits/,
    ],
    [
      'an id that none has',
      'f'.repeat(16),
      4,
      /error: no session has the id f{16}\nhint: .*session list/,
    ],
    ['a beginning that none has', 'ffff', 4, /error: no session begins with ffff\nhint: /],
    ['too few digits', '000', 2, /error: not a session id: "000"\nhint: /],
    ['what is no id', 'alice', 2, /error: not a session id: "alice"\nhint: /],
  ]
  for (const [what, id, exit, expected] of refusals) {
    test(`refuses ${what}`, async () => {
      const store = await aStoreOfKinds()
      const { status, stdout, stderr } = await sentinel(['session', 'show', id], { store })
      assert.equal(status, exit)
      assert.equal(stdout, '')
      assert.match(stderr, expected)
    })
  }

  test('goes by the name of server-session as well', async () => {
    const store = await aStoreWith(aSession())
    const { stdout } = await sentinel(['server-session', ALICE], { store })
    assert.match(stdout, /^id +00000000000a11ce\n/)
  })
})
