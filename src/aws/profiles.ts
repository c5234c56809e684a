import type { Profile, Profiles, ResolvedProfile, ResolveOptions } from '../ports/profiles.ts'
import { profileNames } from './aws-config.ts'
import type { BaseCredentials } from './base-credentials.ts'
import { configPaths, readAWSConfig } from './config-files.ts'
import { abandonOn, interrupted } from './deadline.ts'
import { toProfile } from './profile.ts'
import { followChain } from './profile-chain.ts'
import { inheritedProfiles, recursion, whileResolving } from './resolving.ts'

interface AWSProfilesOptions {
  /**
   * The process's own environment, not a copy: the SDK's providers read it, and what they spawn
   * inherits it. `SENTINEL_RESOLVING` is set in it while they run.
   */
  readonly env: NodeJS.ProcessEnv
  readonly baseCredentials: Pick<BaseCredentials, 'resolve'>
}

/** The user's own `~/.aws/config` and `~/.aws/credentials`. */
export class AWSProfiles implements Profiles {
  readonly #env: NodeJS.ProcessEnv
  readonly #baseCredentials: Pick<BaseCredentials, 'resolve'>
  readonly #inherited: readonly string[]
  /** Ends when the resolution before has: the environment that tells of one is everybody's. */
  #previous: Promise<unknown> = Promise.resolve()

  constructor({ env, baseCredentials }: AWSProfilesOptions) {
    this.#env = env
    this.#baseCredentials = baseCredentials
    this.#inherited = inheritedProfiles(env)
  }

  async names(): Promise<readonly string[]> {
    return profileNames(await readAWSConfig(configPaths(this.#env)))
  }

  async load(name: string): Promise<Profile> {
    const config = await readAWSConfig(configPaths(this.#env))
    return toProfile(config, followChain(config, name))
  }

  async resolve(name: string, options: ResolveOptions): Promise<ResolvedProfile> {
    if (this.#inherited.includes(name)) throw recursion(name)
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const previous = this.#previous
    this.#previous = previous.then(() => ended)
    try {
      await abandonOn(options.signal, previous)
      return await whileResolving(this.#env, name, () => this.#resolveNow(name, options))
    } catch (error) {
      throw options.signal.aborted ? interrupted('looking for base credentials') : error
    } finally {
      end()
    }
  }

  async #resolveNow(name: string, options: ResolveOptions): Promise<ResolvedProfile> {
    const paths = configPaths(this.#env)
    const config = await readAWSConfig(paths)
    return this.#baseCredentials.resolve(followChain(config, name), paths, options)
  }
}
