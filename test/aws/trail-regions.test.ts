import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { trailRegions } from '../../src/aws/trail-regions.ts'

const CALLERS = {
  home: 'eu-central-1',
  partition: 'aws',
  profiles: ['eu-west-1', 'eu-central-1', 'eu-west-1'],
  isPrivate: false,
}

suite('trailRegions', () => {
  test('begins at home, and has each region once, and that of the global endpoint', () => {
    assert.deepEqual(trailRegions(CALLERS), ['eu-central-1', 'eu-west-1', 'us-east-1'])
    assert.deepEqual(trailRegions({ ...CALLERS, home: 'us-east-1', profiles: [] }), ['us-east-1'])
  })

  test('has no global endpoint in other partitions', () => {
    const callers = { ...CALLERS, home: 'us-gov-west-1', partition: 'aws-us-gov', profiles: [] }
    assert.deepEqual(trailRegions(callers), ['us-gov-west-1'])
  })

  test('stays at home where a private endpoint leads', () => {
    assert.deepEqual(trailRegions({ ...CALLERS, isPrivate: true }), ['eu-central-1'])
  })
})
