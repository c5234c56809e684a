import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createRoleOwners } from '../../src/app/protected-roles.ts'

const ACCOUNT = 'arn:aws:iam::444455556666:role'
const SSO = `${ACCOUNT}/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Admin_0123456789abcdef`
const LINKED = `${ACCOUNT}/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`

suite('createRoleOwners', () => {
  const cases: [owner: string, patterns: string[], role: string][] = [
    ['sentinel', [`${ACCOUNT}/Prod`], `${ACCOUNT}/Prod`],
    ['anybody', [`${ACCOUNT}/Prod`], `${ACCOUNT}/Production`],
    ['anybody', [], `${ACCOUNT}/Prod`],
    ['sentinel', [`${ACCOUNT}/*`], `${ACCOUNT}/team/Deploy`],
    ['sentinel', ['*'], `${ACCOUNT}/Prod`],
    ['anybody', [`${ACCOUNT}/*`], 'arn:aws:iam::777788889999:role/Prod'],
    ['sentinel', [`${ACCOUNT}/Prod`], `${ACCOUNT}/pROD`],
    ['aws', [`${ACCOUNT}/*`], SSO],
    ['aws', ['*'], LINKED],
    ['sentinel', [`${ACCOUNT}/*`, SSO], SSO],
    ['sentinel', [`${ACCOUNT}/aws-reserved/*`], SSO],
    ['aws', [`${ACCOUNT}/*`, `${ACCOUNT}/aws-reserved/*`], LINKED],
    ['anybody', [`${ACCOUNT}/Prod`], SSO],
  ]
  for (const [owner, patterns, role] of cases) {
    test(`says ${owner} of ${role} for ${patterns.join(' and ') || 'nothing'}`, () => {
      assert.equal(createRoleOwners(patterns)(role), owner)
    })
  }
})
