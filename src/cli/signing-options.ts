/** The options that say who signs statements about the log. */
export const SIGNER_OPTIONS = {
  key: { type: 'string', value: 'FILE', summary: 'Sign with the Ed25519 key in FILE (PEM)' },
  'kms-key': {
    type: 'string',
    value: 'KEY',
    summary: 'Sign with a key of KMS: its id, its ARN, or alias/NAME',
  },
} as const

/** The options that say whose signature counts. */
export const VERIFIER_OPTIONS = {
  'public-key': {
    type: 'string',
    value: 'FILE',
    summary: 'Whose signature counts: the public key in FILE (PEM)',
  },
  'kms-key': {
    type: 'string',
    value: 'KEY',
    summary: 'Whose signature counts: a key of KMS, by its id, its ARN or alias/NAME',
  },
} as const
