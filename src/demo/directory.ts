import type { Instant } from '../domain/time.ts'
import {
  type Identity,
  type KeyPair,
  type KnownRole,
  knownRole,
  type OIDCProvider,
  type OIDCToken,
  type Role,
  rootIdentity,
  sessionIdentity,
  userIdentity,
  type World,
} from './iam.ts'

/** An access key and what is known of it. Long-term keys have no token and no end. */
export interface AccessKey extends KeyPair {
  readonly identity: Identity
  readonly issuedAt: Instant
  /** Whether it was had with a code of an MFA device. */
  readonly hasMFA: boolean
  readonly sessionToken?: string
  readonly expiration?: Instant
}

/** An access key for a limited time. */
export type SessionKey = AccessKey & {
  readonly sessionToken: string
  readonly expiration: Instant
}

interface Issue {
  readonly at: Instant
  /** Seconds. */
  readonly lifetime: number
  readonly hasMFA: boolean
}

/** Everything AWS knows of its principals: the roles, the identity providers and every key. */
export class Directory {
  readonly #keys = new Map<string, AccessKey>()
  readonly #roles = new Map<string, KnownRole>()
  readonly #audiences = new Map<string, readonly string[]>()
  readonly #tokens = new Map<string, { issuer: string; token: OIDCToken }>()
  readonly #randomBytes: (size: number) => Uint8Array

  constructor(world: World, openedAt: Instant, randomBytes: (size: number) => Uint8Array) {
    this.#randomBytes = randomBytes
    for (const account of world.accounts) {
      for (const key of account.rootKeys ?? []) {
        this.#addLongTerm(key, rootIdentity(account.id), openedAt)
      }
      for (const user of account.users ?? []) {
        for (const key of user.keys) {
          this.#addLongTerm(key, userIdentity(account.id, user), openedAt)
        }
      }
      for (const provider of account.oidcProviders ?? []) {
        this.#addProvider(account.id, provider)
      }
      for (const role of account.roles ?? []) this.#addRole(knownRole(account.id, role), openedAt)
    }
  }

  findRole(arn: string): KnownRole | undefined {
    return this.#roles.get(arn)
  }

  /** Changes what is said of a role. Sessions that were begun go on. */
  setRole(arn: string, change: Partial<Pick<Role, 'maxSessionSeconds' | 'trust'>>): void {
    const role = this.#roles.get(arn)
    if (!role) throw new TypeError(`the world has no role ${arn}`)
    this.#roles.set(arn, { ...role, ...change })
  }

  /** The token that passes for signed by `issuer`, whichever account knows that one. */
  findToken(value: string): { issuer: string; token: OIDCToken } | undefined {
    return this.#tokens.get(value)
  }

  /** The client ids of an account's provider; undefined when the account has none of `issuer`. */
  findAudiences(account: string, issuer: string): readonly string[] | undefined {
    return this.#audiences.get(`${account} ${issuer}`)
  }

  findKey(accessKeyId: string): AccessKey | undefined {
    return this.#keys.get(accessKeyId)
  }

  /** Makes session credentials for `identity`. */
  issue(identity: Identity, { at, lifetime, hasMFA }: Issue): SessionKey {
    const suffix = Buffer.from(this.#randomBytes(6)).toString('hex').toUpperCase()
    const key = {
      accessKeyId: `ASIADEMO${suffix}`,
      secretAccessKey: Buffer.from(this.#randomBytes(30)).toString('base64'),
      sessionToken: Buffer.from(this.#randomBytes(240)).toString('base64'),
      expiration: at + lifetime * 1000,
      issuedAt: at,
      identity,
      hasMFA,
    }
    this.#keys.set(key.accessKeyId, key)
    return key
  }

  /** Makes session credentials end at `at`, as when a session is over before its time. */
  endKey(accessKeyId: string, at: Instant): void {
    const key = this.#keys.get(accessKeyId)
    if (key?.expiration === undefined) {
      throw new TypeError(`no session has the access key ${accessKeyId}`)
    }
    this.#keys.set(accessKeyId, { ...key, expiration: at })
  }

  #addLongTerm(key: KeyPair, identity: Identity, issuedAt: Instant): void {
    this.#add({ ...key, identity, issuedAt, hasMFA: false })
  }

  #addRole(role: KnownRole, openedAt: Instant): void {
    this.#roles.set(role.arn, role)
    for (const { name, key, lifetime } of role.sessions ?? []) {
      const identity = sessionIdentity(role, name)
      const expiration = openedAt + lifetime * 1000
      this.#add({ ...key, identity, expiration, issuedAt: openedAt, hasMFA: false })
    }
  }

  #addProvider(account: string, { issuer, audiences, tokens }: OIDCProvider): void {
    this.#audiences.set(`${account} ${issuer}`, audiences)
    for (const token of tokens) this.#tokens.set(token.value, { issuer, token })
  }

  #add(key: AccessKey): void {
    if (!key.accessKeyId.includes('DEMO')) {
      throw new TypeError('the stand-in AWS takes made-up keys only: their ids contain DEMO')
    }
    this.#keys.set(key.accessKeyId, key)
  }
}
