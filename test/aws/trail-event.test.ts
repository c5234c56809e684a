import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parseTrailEvent } from '../../src/aws/trail-event.ts'
import type { TrailEvent } from '../../src/ports/trail.ts'
import { recorded } from '../fixtures/aws/cloudtrail.ts'

const STAMP = 'sentinel=alice=policy=mzxw6ytboi3damrqgaya'
const PROD = 'arn:aws:iam::444455556666:role/Prod'

const read = (name: string, changes = {}) =>
  parseTrailEvent(JSON.stringify(recorded(name, changes)))

suite('parseTrailEvent', () => {
  test('reads a session that Sentinel made', () => {
    assert.deepEqual(read('stamped'), {
      id: '7f1c2d3e-4a5b-4c6d-8e7f-000000000001',
      name: 'AssumeRole',
      at: Date.UTC(2026, 0, 14, 11),
      region: 'eu-central-1',
      roleArn: PROD,
      sessionName: 'alice-mzxw6ytboi3damrqgaya',
      askedSourceIdentity: STAMP,
      issuedSourceIdentity: STAMP,
      issuedAccessKeyId: 'ASIAEXAMPLEISSUED001',
      sourceIp: '203.0.113.7',
      userAgent: 'sentinel/1.0.0 ua/2.1 os/linux#6.8.0 lang/js md/nodejs#26.10.0 api/sts#3.901.0',
      caller: 'arn:aws:iam::111122223333:user/alice',
      callerAccessKeyId: 'AKIAEXAMPLEALICE0001',
    })
  })

  const kinds: [what: string, name: string, expected: Partial<TrailEvent>][] = [
    [
      'what the caller was stamped with, apart from what was asked',
      'chained',
      {
        callerSourceIdentity: STAMP,
        callerAccessKeyId: 'ASIAEXAMPLEISSUED001',
        issuedSourceIdentity: STAMP,
        roleArn: 'arn:aws:iam::444455556666:role/team/Deploy',
      },
    ],
    [
      'what a session inherited from a caller of another account, who is not shown',
      'chained-from-another-account',
      {
        issuedSourceIdentity: STAMP,
        caller: 'AROAEXAMPLEPROD000001:alice-mzxw6ytboi3damrqgaya',
      },
    ],
    [
      'who comes by SAML',
      'saml',
      {
        name: 'AssumeRoleWithSAML',
        region: 'us-east-1',
        issuedAccessKeyId: 'ASIAEXAMPLESAML00005',
        caller: 'SbdGOnUkh1i4+EXAMPLExL/jEvs=:bob@corp.example',
      },
    ],
    [
      'who comes by web identity',
      'web-identity',
      { name: 'AssumeRoleWithWebIdentity', issuedAccessKeyId: 'ASIAEXAMPLEWEB000006' },
    ],
    [
      'a service of AWS',
      'service',
      { caller: 'lambda.amazonaws.com', sourceIp: 'lambda.amazonaws.com' },
    ],
    ['a call that failed', 'denied-with-parameters', { errorCode: 'AccessDenied', roleArn: PROD }],
    ['an answer that is not told', 'without-response', { roleArn: PROD, sessionName: 'quiet' }],
  ]
  for (const [what, name, expected] of kinds) {
    test(`reads ${what}`, () => assert.partialDeepStrictEqual(read(name), expected))
  }

  test('finds no role where a call failed before it was read', () => {
    assert.equal(read('denied')?.roleArn, undefined)
  })

  test('takes the role from the resources where the parameters are left out', () => {
    assert.equal(read('stamped', { requestParameters: null })?.roleArn, PROD)
  })

  test('reads each source identity from its own place and from no other', () => {
    const event = read('stamp-in-odd-places')
    assert.equal(event?.askedSourceIdentity, undefined)
    assert.equal(event?.issuedSourceIdentity, undefined)
    assert.equal(event?.callerSourceIdentity, undefined)
    const chained = read('chained')
    assert.equal(chained?.askedSourceIdentity, undefined)
    assert.equal(read('stamped')?.callerSourceIdentity, undefined)
  })

  const odd: [what: string, changes: Record<string, unknown>][] = [
    [
      'null',
      { requestParameters: null, responseElements: null, userIdentity: null, resources: null },
    ],
    ['texts', { requestParameters: 'x', responseElements: 'x', userIdentity: 'x', resources: 'x' }],
    [
      'lists',
      { requestParameters: [], responseElements: [[]], userIdentity: [1], resources: [1, null] },
    ],
    [
      'numbers',
      {
        requestParameters: { roleArn: 7, sourceIdentity: {} },
        userIdentity: { arn: 1 },
        resources: 7,
        responseElements: { credentials: [] },
      },
    ],
  ]
  for (const [what, changes] of odd) {
    test(`takes ${what} in the wrong place for nothing`, () => {
      const event = read('stamped', changes)
      assert.equal(event?.id, '7f1c2d3e-4a5b-4c6d-8e7f-000000000001')
      assert.equal(event.roleArn, undefined)
      assert.equal(event.caller, undefined)
      assert.equal(event.issuedAccessKeyId, undefined)
    })
  }

  const unreadable: [what: string, text: string | undefined][] = [
    ['nothing', undefined],
    ['an empty text', ''],
    ['half an event', JSON.stringify(recorded('stamped')).slice(0, 500)],
    ['a list', '[]'],
    ['null', 'null'],
    ['an event of no time', JSON.stringify(recorded('stamped', { eventTime: 'now' }))],
    ['an event of no name', JSON.stringify(recorded('stamped', { eventName: null }))],
    ['an event of no region', JSON.stringify(recorded('stamped', { awsRegion: 7 }))],
    ['an event of no id', JSON.stringify(recorded('stamped', { eventID: '' }))],
  ]
  for (const [what, text] of unreadable) {
    test(`says that it cannot read ${what}`, () => assert.equal(parseTrailEvent(text), undefined))
  }
})
