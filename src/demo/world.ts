import type { World } from './iam.ts'

/**
 * The access keys of the story. Made up, and of no use anywhere else: nothing but the stand-in AWS
 * knows them.
 */
export const DEMO_KEYS = {
  alice: {
    accessKeyId: 'AKIADEMOALICE0000001',
    secretAccessKey: 'demo/not-a-secret+alice/0000000000000001',
  },
  bob: {
    accessKeyId: 'AKIADEMOBOB000000001',
    secretAccessKey: 'demo/not-a-secret+bob/000000000000000001',
  },
  root: {
    accessKeyId: 'AKIADEMOROOT00000001',
    secretAccessKey: 'demo/not-a-secret+root/00000000000000001',
  },
  carol: {
    accessKeyId: 'ASIADEMOCAROL0000001',
    secretAccessKey: 'demo/not-a-secret+carol/0000000000000001',
    sessionToken: 'demo//not+a+secret//carol//session//token//0000000000000000000001==',
  },
} as const

/** What alice's authenticator app knows. */
export const ALICE_MFA_SEED = 'demo-seed-of-alice'
export const ALICE_MFA_SERIAL = 'arn:aws:iam::111122223333:mfa/alice'

/** A token that the CI system of the story signed for its job `deploy`. */
export const CI_TOKEN = 'demo.not-a-secret.ci-deploy'

export const EXTERNAL_ID = 'demo:external/id'

/** ARNs of the roles of the story. */
export const ROLES = {
  prod: 'arn:aws:iam::444455556666:role/Prod',
  /** Like Prod, but its longest session is the default of one hour. */
  oneHour: 'arn:aws:iam::444455556666:role/OneHour',
  /** Its trust policy was written before anybody thought of `sts:SetSourceIdentity`. */
  legacy: 'arn:aws:iam::444455556666:role/Legacy',
  partner: 'arn:aws:iam::444455556666:role/partners/Partner',
  mfa: 'arn:aws:iam::444455556666:role/MFA',
  /** Trusts the sessions of Prod: the second link of a chain. */
  chained: 'arn:aws:iam::777788889999:role/Chained',
  dev: 'arn:aws:iam::777788889999:role/Dev',
  ci: 'arn:aws:iam::777788889999:role/CI',
  sso: 'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Developer_0123456789abcdef',
} as const

const PRINCIPALS = '111122223333'
const HOUR = 3600
const CI_ISSUER = 'https://token.ci.example'

const trusting = { principals: [PRINCIPALS], maySetSourceIdentity: true, mayTagSession: true }

/**
 * The world of the demo and of the tests: alice, bob and carol in account 111122223333, and the
 * roles they may assume in 444455556666 (production) and 777788889999 (development).
 */
export const STORY: World = {
  regions: ['eu-central-1', 'us-east-1'],
  accounts: [
    {
      id: PRINCIPALS,
      rootKeys: [DEMO_KEYS.root],
      users: [
        { name: 'alice', keys: [DEMO_KEYS.alice], mfaSeed: ALICE_MFA_SEED },
        { name: 'bob', path: '/staff/', keys: [DEMO_KEYS.bob] },
      ],
      roles: [
        {
          name: 'AWSReservedSSO_Developer_0123456789abcdef',
          path: '/aws-reserved/sso.amazonaws.com/eu-central-1/',
          maxSessionSeconds: 12 * HOUR,
          trust: { principals: [], maySetSourceIdentity: false },
          sessions: [{ name: 'carol@corp.example', key: DEMO_KEYS.carol, lifetime: 8 * HOUR }],
        },
      ],
    },
    {
      id: '444455556666',
      roles: [
        { name: 'Prod', maxSessionSeconds: 12 * HOUR, trust: trusting },
        { name: 'OneHour', maxSessionSeconds: HOUR, trust: trusting },
        {
          name: 'Legacy',
          maxSessionSeconds: HOUR,
          trust: { principals: [PRINCIPALS], maySetSourceIdentity: false },
        },
        {
          name: 'Partner',
          path: '/partners/',
          maxSessionSeconds: HOUR,
          trust: { ...trusting, externalId: EXTERNAL_ID },
        },
        { name: 'MFA', maxSessionSeconds: 2 * HOUR, trust: { ...trusting, requiresMFA: true } },
      ],
    },
    {
      id: '777788889999',
      roles: [
        { name: 'Dev', maxSessionSeconds: 4 * HOUR, trust: trusting },
        {
          name: 'Chained',
          maxSessionSeconds: 12 * HOUR,
          trust: { principals: [ROLES.prod], maySetSourceIdentity: true },
        },
        {
          name: 'CI',
          maxSessionSeconds: 2 * HOUR,
          trust: {
            principals: [],
            maySetSourceIdentity: false,
            webIdentity: { issuer: CI_ISSUER, subjects: ['repo:corp/app:job:deploy'] },
          },
        },
      ],
      oidcProviders: [
        {
          issuer: CI_ISSUER,
          audiences: ['sts.amazonaws.com'],
          tokens: [
            {
              value: CI_TOKEN,
              subject: 'repo:corp/app:job:deploy',
              audience: 'sts.amazonaws.com',
            },
          ],
        },
      ],
    },
  ],
}
