import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { STORY } from '../../src/demo/world.ts'
import { CONFIG, CREDENTIALS, openScene, POLICY } from '../fixtures/scene.ts'

const OTHER = {
  accessKeyId: 'AKIADEMOMALLORY00001',
  secretAccessKey: 'demo/not-a-secret+mallory/00000000000001',
}
const world = {
  ...STORY,
  accounts: [
    ...STORY.accounts,
    { id: '999900009999', users: [{ name: 'mallory', keys: [OTHER] }], roles: [] },
  ],
}
const config = `${CONFIG}[profile private]\nregion = eu-central-1\n`
const credentials = `${CREDENTIALS}[private]
aws_access_key_id = ${OTHER.accessKeyId}
aws_secret_access_key = ${OTHER.secretAccessKey}
`
const policy = `${POLICY}stores: { sessions: "dynamodb:eu-central-1:sentinel-sessions" }\n`

suite('a table that the policy names without an account', { concurrency: 2 }, () => {
  for (const args of [
    ['exec', 'dev', '--', 'true'],
    ['exec', '--server', 'dev', '--', 'true'],
    ['export', 'dev'],
  ]) {
    test(`is not looked for in another account: ${args.join(' ')}`, async () => {
      await using scene = await openScene({ world, config, credentials, policy })
      const { status, stderr } = await scene.sentinel(['--aws-profile', 'private', ...args])
      assert.equal(status, 5, stderr)
      assert.match(stderr, /^error: --aws-profile private is of account 999900009999, and a table/m)
      assert.match(stderr, /^hint: leave --aws-profile out, or have the policy name the table/m)
      assert.equal(scene.answered('AssumeRole'), 0)
    })
  }
})
