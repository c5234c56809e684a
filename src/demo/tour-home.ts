import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEMO_KEYS, ROLES } from './world.ts'

/** A home directory made for one tour, with everything that the commands of the tour find there. */
export interface TourHome extends Disposable {
  readonly path: string
  readonly log: string
  /** All there is in the environment of the tour's commands. */
  readonly env: Readonly<Record<string, string>>
}

const CONFIG = `\
[profile alice]
region = eu-central-1

[profile dev]
role_arn = ${ROLES.dev}
source_profile = alice
region = eu-central-1

[profile prod]
role_arn = ${ROLES.prod}
source_profile = alice
region = eu-central-1
`

const CREDENTIALS = `\
[alice]
aws_access_key_id = ${DEMO_KEYS.alice.accessKeyId}
aws_secret_access_key = ${DEMO_KEYS.alice.secretAccessKey}
`

export const TOUR_POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  dev: { role: "${ROLES.dev}" }
  prod: { role: "${ROLES.prod}" }
rules:
  - name: developers
    effect: allow
    conditions: { profiles: [dev], users: [alice, bob] }
    max_server_duration: 15m
    reason: developers may use dev
  - name: change-freeze
    effect: deny
    conditions: { profiles: [prod] }
    reason: production is frozen until Monday
`

/** Writes the home of a tour; `self` is the command line that runs this program. */
export function makeTourHome(
  temporaryDirectory: string,
  self: readonly string[],
  endpoint: string,
): TourHome {
  const path = mkdtempSync(join(temporaryDirectory, 'sentinel-demo-'))
  const bin = join(path, 'bin')
  const aws = join(path, '.aws')
  const settings = join(path, '.config', 'sentinel')
  for (const directory of [bin, aws, settings]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }
  const write = (file: string, text: string) => writeFileSync(file, text, { mode: 0o600 })
  write(join(aws, 'config'), CONFIG)
  write(join(aws, 'credentials'), CREDENTIALS)
  const policy = join(path, 'policy.yaml')
  write(policy, TOUR_POLICY)
  write(join(settings, 'config.yaml'), `policy: file:${policy}\nsession_store: local\n`)
  const program = join(bin, 'sentinel')
  write(program, `#!/bin/sh\nexec ${self.map(quote).join(' ')} "$@"\n`)
  chmodSync(program, 0o700)
  return {
    path,
    log: join(path, '.local', 'state', 'sentinel', 'decisions.jsonl'),
    env: { HOME: path, PATH: `${bin}:/usr/bin:/bin`, AWS_ENDPOINT_URL_STS: endpoint },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
