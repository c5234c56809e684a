import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParametersCommand,
  ListDocumentsCommand,
  PutParameterCommand,
} from '@aws-sdk/client-ssm'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { DEMO_KEYS, ROLES } from '../../src/demo/world.ts'
import { keyOf, openStory, ssmAs, stsAs } from './story.ts'

const NAME = '/sentinel/policy'

suite('Parameter Store of the stand-in AWS', () => {
  test('keeps a parameter with its versions', async () => {
    const at = 1_768_381_200_500
    await using aws = await openStory(undefined, () => at)
    aws.clockOffset = Date.now() - at
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    const put = (Value: string, Overwrite = false) =>
      ssm.send(new PutParameterCommand({ Name: NAME, Value, Type: 'String', Overwrite }))
    assert.equal((await put('one')).Version, 1)
    await assert.rejects(put('two'), { name: 'ParameterAlreadyExists' })
    assert.equal((await put('two', true)).Version, 2)

    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: NAME }))
    assert.equal(Math.abs(Parameter!.LastModifiedDate!.getTime() - Date.now()) < 60_000, true)
    assert.partialDeepStrictEqual(Parameter, {
      ARN: 'arn:aws:ssm:eu-central-1:111122223333:parameter/sentinel/policy',
      DataType: 'text',
      Name: NAME,
      Type: 'String',
      Value: 'two',
      Version: 2,
    })
    const first = await ssm.send(new GetParameterCommand({ Name: `${NAME}:1` }))
    assert.partialDeepStrictEqual(first.Parameter, { Value: 'one', Version: 1, Selector: ':1' })
    await assert.rejects(ssm.send(new GetParameterCommand({ Name: `${NAME}:3` })), {
      name: 'ParameterVersionNotFound',
    })
  })

  test('begins again at version 1 when a parameter was deleted', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    assert.equal(aws.putParameter(NAME, 'one'), 1)
    assert.equal(aws.putParameter(NAME, 'two'), 2)
    await ssm.send(new DeleteParameterCommand({ Name: NAME }))
    for (const command of [
      new GetParameterCommand({ Name: NAME }),
      new DeleteParameterCommand({ Name: NAME }),
    ]) {
      await assert.rejects(ssm.send(command as GetParameterCommand), { name: 'ParameterNotFound' })
    }
    assert.equal(aws.putParameter(NAME, 'three'), 1)
    aws.deleteParameter(NAME)
    assert.throws(() => aws.deleteParameter(NAME), { code: 'ParameterNotFound' })
  })

  test('keeps the last 100 versions', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    for (let version = 1; version <= 101; version++) aws.putParameter(NAME, String(version))
    await assert.rejects(ssm.send(new GetParameterCommand({ Name: `${NAME}:1` })), {
      name: 'ParameterVersionNotFound',
    })
    const oldest = await ssm.send(new GetParameterCommand({ Name: `${NAME}:2` }))
    assert.equal(oldest.Parameter?.Value, '2')
  })

  test('keeps the accounts and the regions apart', async () => {
    await using aws = await openStory()
    aws.putParameter(NAME, 'home')
    aws.putParameter(NAME, 'prod', { account: '444455556666', region: 'eu-central-1' })
    const get = async (client: ReturnType<typeof ssmAs>) =>
      (await client.send(new GetParameterCommand({ Name: NAME }))).Parameter?.Value
    const { Credentials } = await stsAs(aws, DEMO_KEYS.alice).send(
      new AssumeRoleCommand({ RoleArn: ROLES.prod, RoleSessionName: 'alice' }),
    )
    assert.equal(await get(ssmAs(aws, DEMO_KEYS.alice)), 'home')
    assert.equal(await get(ssmAs(aws, DEMO_KEYS.carol)), 'home')
    assert.equal(await get(ssmAs(aws, keyOf(Credentials))), 'prod')
    await assert.rejects(get(ssmAs(aws, DEMO_KEYS.alice, { region: 'us-east-1' })), {
      name: 'ParameterNotFound',
    })
  })

  test('shows a SecureString only to who asks for decryption', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    const secure = { Name: NAME, Value: 'plain text', Type: 'SecureString' } as const
    await ssm.send(new PutParameterCommand(secure))
    const get = async (WithDecryption: boolean) =>
      (await ssm.send(new GetParameterCommand({ Name: NAME, WithDecryption }))).Parameter?.Value
    assert.equal(await get(true), 'plain text')
    assert.match((await get(false)) ?? '', /^AQICAH/)
    assert.ok(!JSON.stringify(aws.journal).includes('plain text'))
  })

  test('takes 4096 bytes of value and no more', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    const put = (Value: string) =>
      ssm.send(new PutParameterCommand({ Name: NAME, Value, Type: 'String', Overwrite: true }))
    await put('x'.repeat(4096))
    const tooLarge = {
      name: 'ValidationException',
      message: /^Standard tier parameters support a maximum parameter value of 4096 characters\./,
    }
    await assert.rejects(put('x'.repeat(4097)), tooLarge)
    await assert.rejects(put('é'.repeat(2049)), tooLarge)
    await assert.rejects(put('a {{ssm:other}}'), {
      name: 'ValidationException',
      message: /can't nest another parameter/,
    })
    await assert.rejects(put(''), { name: 'ValidationException' })
  })

  test('takes names as Parameter Store does', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    const put = (Name: string) =>
      ssm.send(new PutParameterCommand({ Name, Value: 'x', Type: 'String' }))
    for (const name of ['plain', '/a', `/${Array(15).fill('l').join('/')}`, 'a.b-c_D9']) {
      await put(name)
    }
    const refused = ['aws', '/AWS/x', 'ssm-x', 'a/b', '/a//b', '/a/', 'a b', 'a:1', 'é']
    for (const name of [...refused, `/${Array(16).fill('l').join('/')}`]) {
      await assert.rejects(put(name), { name: 'ValidationException' }, name)
    }
  })

  test('checks requests against the API model', async () => {
    await using aws = await openStory()
    const ssm = ssmAs(aws, DEMO_KEYS.alice)
    const prefix = '1 validation error detected: '
    await assert.rejects(ssm.send(new GetParameterCommand({ Name: '' })), {
      name: 'ValidationException',
      message:
        `${prefix}Value '' at 'name' failed to satisfy constraint: ` +
        'Member must have length greater than or equal to 1',
    })
    await assert.rejects(ssm.send(new GetParametersCommand({ Names: Array(11).fill('a') })), {
      message: /at 'names' .* Member must have length less than or equal to 10$/,
    })
    await assert.rejects(
      ssm.send(new PutParameterCommand({ Name: NAME, Value: 'x', Type: 'Text' as 'String' })),
      { message: /at 'type' .* enum value set: \[SecureString, StringList, String\]$/ },
    )
    await assert.rejects(
      ssm.send(new PutParameterCommand({ Name: NAME, Value: 'x', Tier: 'Advanced' })),
      { name: 'ValidationException' },
    )
  })

  test('gets several, and names those that are not there', async () => {
    await using aws = await openStory()
    aws.putParameter('one', '1')
    const answer = await ssmAs(aws, DEMO_KEYS.alice).send(
      new GetParametersCommand({ Names: ['one', 'two'] }),
    )
    assert.deepEqual(
      answer.Parameters?.map(({ Value }) => Value),
      ['1'],
    )
    assert.deepEqual(answer.InvalidParameters, ['two'])
  })

  test('knows no other operation of SSM', async () => {
    await using aws = await openStory()
    await assert.rejects(ssmAs(aws, DEMO_KEYS.alice).send(new ListDocumentsCommand({})), {
      name: 'UnknownOperationException',
    })
  })
})
