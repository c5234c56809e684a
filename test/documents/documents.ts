import { readFileSync } from 'node:fs'

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
}

/** The policy of the design document, to the letter. */
export const SAMPLE = read('./sample.yaml')

/** A policy with every key there is. */
export const COMPLETE = read('./complete.yaml')

/** A valid policy but for what `text` adds at its end, from line 7 on. */
export function policyWith(text: string): string {
  return `version: "1"
principal_accounts: ["111122223333"]
profiles: { prod: { role: "arn:aws:iam::444455556666:role/Prod" } }
rules:
  - { name: base, effect: deny, conditions: { users: [mallory] } }
# line 6
${text}`
}

/** A policy whose only rule has `conditions`, from line 6 on. */
export function policyWhen(conditions: string): string {
  return `version: "1"
rules:
  - name: only
    effect: deny
    conditions:
${conditions.replace(/^/gm, '      ')}
`
}

/** A generated policy of about `bytes` bytes. */
export function policyOf(bytes: number): string {
  let text = 'version: "1"\nrules:\n'
  for (let index = 0; text.length < bytes - 200; index += 1) {
    text += `  - name: rule-${index}
    effect: require_approval
    conditions:
      profiles: [prod${index}, "dev*"]
      users: [alice, "sso:*@corp.example"]
    reason: production needs a second pair of eyes
    max_duration: 1h
`
  }
  return text
}
