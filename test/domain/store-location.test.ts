import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isSamePlace, isShared, parseStoreLocation } from '../../src/domain/store-location.ts'

const ARN = 'arn:aws:dynamodb:eu-central-1:111122223333:table/sentinel-sessions'

suite('parseStoreLocation', () => {
  const locations: [text: string, location: object | undefined][] = [
    ['memory:', { kind: 'memory' }],
    ['local', { kind: 'local' }],
    ['sqlite:/var/lib/sentinel.db', { kind: 'sqlite', path: '/var/lib/sentinel.db' }],
    ['sqlite:a:b c.db', { kind: 'sqlite', path: 'a:b c.db' }],
    ['dynamodb:sessions', { kind: 'dynamodb', table: 'sessions' }],
    [
      'dynamodb:us-gov-east-1:a.b_c-d',
      { kind: 'dynamodb', region: 'us-gov-east-1', table: 'a.b_c-d' },
    ],
    ['dynamodb:eu-central-1', { kind: 'dynamodb', table: 'eu-central-1' }],
    [ARN, { kind: 'dynamodb', region: 'eu-central-1', table: 'sentinel-sessions', arn: ARN }],
    ['', undefined],
    ['memory', undefined],
    ['local:', undefined],
    ['sqlite:', undefined],
    ['sqlite: ', undefined],
    ['dynamodb:ab', undefined],
    ['dynamodb:eu-central-1:', undefined],
    ['dynamodb:Europe:sessions', undefined],
    ['dynamodb:sessions\n', undefined],
    ['arn:aws:dynamodb:eu-central-1:1111:table/sessions', undefined],
    [`${ARN}/index/gsi-user`, undefined],
    ['redis://localhost', undefined],
  ]
  for (const [text, location] of locations) {
    test(`${location ? 'reads' : 'refuses'} ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseStoreLocation(text), location)
    })
  }

  test('tells what other machines can read from what they cannot', () => {
    const shared = ['dynamodb:eu-central-1:sessions', ARN]
    const local = ['memory:', 'sqlite:/x', 'sqlite:dynamodb:x']
    assert.deepEqual([...shared, ...local].filter(isShared), shared)
  })

  const pairs: [named: string, location: string, isSame: boolean][] = [
    ['local', 'local', true],
    [ARN, ARN, true],
    ['dynamodb:sessions', 'dynamodb:eu-central-1:sessions', true],
    ['dynamodb:eu-west-1:sessions', 'dynamodb:eu-central-1:sessions', false],
    ['dynamodb:eu-central-1:sessions', 'dynamodb:sessions', false],
    ['dynamodb:other', 'dynamodb:sessions', false],
    ['dynamodb:sessions', ARN, false],
    ['local', 'sqlite:/x', false],
  ]
  for (const [named, location, isSame] of pairs) {
    test(`${named} ${isSame ? 'is' : 'need not be'} ${location}`, () => {
      assert.equal(isSamePlace(named, location), isSame)
    })
  }
})
