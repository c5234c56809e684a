import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { isIssuedBySentinel, type Principal } from '../../src/domain/principal.ts'
import {
  base32,
  parseSourceIdentity,
  roleSessionName,
  sourceIdentity,
  sourceIdentityPattern,
  toRequestId,
  userPart,
} from '../../src/domain/source-identity.ts'
import { anSSOPrincipal, aPrincipal } from '../fixtures/policies.ts'
import {
  aFederatedPrincipal,
  aRolePrincipal,
  aRootPrincipal,
  aWebPrincipal,
} from '../fixtures/principals.ts'
import { pick, random, scaled } from '../fixtures/random.ts'

const BASES = ['policy', 'approval', 'break_glass'] as const
/** As STS's API model has it for SourceIdentity and RoleSessionName. */
const STS = /^[\w+=,.@-]{2,64}$/
const ID = 'mzxw6ytboi3damrqgaya'

const sha256 = (text: string) => createHash('sha256').update(text).digest()
const user = (principal: Principal) => userPart(principal, sha256)

suite('base32', () => {
  const cases: [text: string, expected: string][] = [
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ]
  for (const [text, expected] of cases) {
    test(`writes "${text}" as RFC 4648 does`, () => {
      assert.equal(base32(new TextEncoder().encode(text)), expected)
    })
  }
})

suite('toRequestId', () => {
  test('writes 12 bytes as 20 characters', () => {
    assert.equal(toRequestId(new Uint8Array(12)), 'a'.repeat(20))
    assert.equal(toRequestId(new Uint8Array(12).fill(255)), `${'7'.repeat(19)}q`)
  })

  test('takes no other number of bytes', () => {
    assert.throws(() => toRequestId(new Uint8Array(11)), RangeError)
    assert.throws(() => toRequestId(new Uint8Array(13)), RangeError)
  })
})

suite('userPart', () => {
  const asItIs = ['alice', 'a', 'alice@corp.example', 'a.b_c+d-e', 'x'.repeat(21)]
  for (const name of asItIs) {
    test(`is the name itself for ${name}`, () => {
      assert.deepEqual([user(aPrincipal(name)), user(anSSOPrincipal(name))], [name, name])
    })
  }

  const hashed: [what: string, principal: Principal, expected: RegExp][] = [
    ['a name of 22 characters', aPrincipal('x'.repeat(22)), /^x{10},[a-z2-7]{10}$/],
    ['a name with a comma', aPrincipal('a,b'), /^ab,[a-z2-7]{10}$/],
    ['a name with an equals sign', aPrincipal('a=b'), /^ab,[a-z2-7]{10}$/],
    ['a name of nothing else', aPrincipal('=,='), /^,[a-z2-7]{10}$/],
    ['a role session', aRolePrincipal('R', 'alice'), /^alice,[a-z2-7]{10}$/],
    ['a federated user', aFederatedPrincipal('alice'), /^alice,[a-z2-7]{10}$/],
    ['root', aRootPrincipal(), /^root,[a-z2-7]{10}$/],
    ['a web identity', aWebPrincipal('p', 'repo:org/app:ref'), /^repoorgapp,[a-z2-7]{10}$/],
  ]
  for (const [what, principal, expected] of hashed) {
    test(`is hashed for ${what}`, () => assert.match(user(principal), expected))
  }

  test('never changes: trust policies and logs hold it', () => {
    assert.equal(user(anSSOPrincipal('alice.smith@corp.example')), 'alice.smit,5nxeycxd3t')
    assert.equal(user(aRolePrincipal('Deploy', 'ci-42')), 'ci-42,4rb3iodhc5')
  })

  test('is one for a long-named person under every permission set', () => {
    const name = 'alice.smith@corp.example'
    assert.equal(user(anSSOPrincipal(name, 'Admin')), user(anSSOPrincipal(name, 'Developer')))
  })

  test('keeps alice.smith and alicesmith apart', () => {
    assert.notEqual(user(aPrincipal('alice.smith')), user(aPrincipal('alicesmith')))
  })

  test('is distinct for distinct callers, and fits STS in every basis (ID-1)', () => {
    const seed = 1
    const next = random(seed)
    const owners = new Map<string, string>()
    for (let i = 0; i < scaled(20_000); i++) {
      const principal = randomPrincipal(next)
      const part = user(principal)
      const isPerson = principal.kind === 'iam' || principal.kind === 'sso'
      const owner = `${isPerson ? 'person' : principal.kind} ${principal.name}`
      assert.equal(owners.get(part) ?? owner, owner, `seed ${seed}: both have ${part}`)
      owners.set(part, owner)
      for (const basis of BASES) {
        const stamp = sourceIdentity(part, basis, ID)
        assert.match(stamp, STS)
        assert.deepEqual(parseSourceIdentity(stamp), { user: part, basis, requestId: ID })
      }
      assert.match(roleSessionName(part, ID), STS)
    }
    assert.ok(owners.size > 5000, `only ${owners.size} callers`)
  })
})

suite('sourceIdentity', () => {
  test('says who, on what basis, and under which request id', () => {
    assert.equal(sourceIdentity('alice', 'policy', ID), `sentinel=alice=policy=${ID}`)
  })

  test('is at most 63 characters', () => {
    assert.equal(sourceIdentity('x'.repeat(21), 'break_glass', ID).length, 63)
  })

  test('matches the pattern that a trust policy demands', () => {
    assert.equal(sourceIdentityPattern('alice'), 'sentinel=alice=*')
  })

  const refused: [what: string, user: string, requestId: string][] = [
    ['an empty user', '', ID],
    ['a user with an equals sign', 'alice=approval', ID],
    ['a user with a colon', 'al:ice', ID],
    ['a user with a star', '*', ID],
    ['a user too long', 'x'.repeat(22), ID],
    ['a request id too short', 'alice', ID.slice(1)],
    ['a request id with a colon', 'alice', `:${ID.slice(1)}`],
  ]
  for (const [what, name, requestId] of refused) {
    test(`is never made of ${what}`, () => {
      assert.throws(() => sourceIdentity(name, 'policy', requestId), TypeError)
      assert.throws(() => roleSessionName(name, requestId), TypeError)
    })
  }
})

suite('parseSourceIdentity', () => {
  const foreign = [
    '',
    'alice',
    `sentinel=alice=policy=${ID}x`,
    `sentinel=alice=admin=${ID}`,
    `sentinel=alice=policy=${ID}\n`,
    `Sentinel=alice=policy=${ID}`,
    `sentinel==policy=${ID}`,
    `sentinel=a=b=policy=${ID}`,
  ]
  for (const text of foreign) {
    test(`does not read ${JSON.stringify(text)}`, () => {
      assert.equal(parseSourceIdentity(text), undefined)
    })
  }
})

suite('roleSessionName', () => {
  test('is known again as issued by Sentinel', () => {
    for (const principal of [aPrincipal('a-b'), aPrincipal('=,='), aRolePrincipal('R', 'se')]) {
      const name = roleSessionName(user(principal), ID)
      assert.ok(isIssuedBySentinel(aRolePrincipal('Prod', name)), name)
    }
  })
})

/** Names that are easily taken for one another. */
function randomPrincipal(next: () => number): Principal {
  const stem = pick(next, ['alice', 'alice.smith', 'alicesmith', 'a', 'x'.repeat(19), ''])
  const rest = Array.from({ length: 1 + Math.floor(next() * 5) }, () => pick(next, [...'a.=,@-_+']))
  const name = stem + rest.join('')
  switch (pick(next, ['iam', 'sso', 'role', 'federated', 'web'])) {
    case 'iam':
      return aPrincipal(name)
    case 'sso':
      return anSSOPrincipal(name, pick(next, ['Admin', 'Developer']))
    case 'role':
      return aRolePrincipal('Deploy', name)
    case 'federated':
      return aFederatedPrincipal(name)
    default:
      return aWebPrincipal('oidc.example', name)
  }
}
