import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { chooseRegion } from '../../src/aws/region.ts'

suite('chooseRegion', () => {
  const cases: [what: string, choice: Parameters<typeof chooseRegion>[0], region: string][] = [
    ["the profile's own", { profile: 'eu-central-1', fallback: 'us-east-2' }, 'eu-central-1'],
    ['the fallback without one', { fallback: 'us-east-2' }, 'us-east-2'],
    ['us-east-1 without either', {}, 'us-east-1'],
    [
      "the main region of the role's partition",
      { roleArn: 'arn:aws-us-gov:iam::111122223333:role/X' },
      'us-gov-west-1',
    ],
    [
      'us-east-1 for a partition nobody knows',
      { roleArn: 'arn:constructor:iam::111122223333:role/X' },
      'us-east-1',
    ],
  ]
  for (const [what, choice, region] of cases) {
    test(`takes ${what}`, () => assert.equal(chooseRegion(choice), region))
  }
})
