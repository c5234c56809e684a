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

[profile vault]
role_arn = ${ROLES.oneHour}
source_profile = alice
region = eu-central-1

[profile bob]
region = eu-central-1
`

const CREDENTIALS = `\
[alice]
aws_access_key_id = ${DEMO_KEYS.alice.accessKeyId}
aws_secret_access_key = ${DEMO_KEYS.alice.secretAccessKey}

[bob]
aws_access_key_id = ${DEMO_KEYS.bob.accessKeyId}
aws_secret_access_key = ${DEMO_KEYS.bob.secretAccessKey}
`

export const TOUR_POLICY = `\
version: "1"
principal_accounts: ["111122223333"]
profiles:
  dev: { role: "${ROLES.dev}" }
  prod: { role: "${ROLES.prod}" }
  vault: { role: "${ROLES.oneHour}" }
# A real team keeps them in DynamoDB; here they are in one SQLite file.
stores: { sessions: local, requests: local, break_glass: local }
rules:
  - name: developers
    effect: allow
    conditions: { profiles: [dev], users: [alice, bob] }
    max_server_duration: 15m
    reason: developers may use dev
  - name: production
    effect: require_approval
    conditions: { profiles: [prod] }
    reason: production takes a second pair of eyes
approvals:
  - name: second-pair-of-eyes
    profiles: [prod]
    users: [alice]
    approvers: [bob]
    max_duration: 1h
break_glass:
  - name: on-call
    profiles: [vault]
    users: [alice]
    reviewers: [bob]
    reason_codes: [incident]
    max_duration: 30m
    max_per_user: { count: 1, window: 24h }
    review_within: 72h
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
  write(join(settings, 'config.yaml'), `policy: file:${policy}\n`)
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
