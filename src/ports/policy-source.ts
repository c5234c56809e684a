/** A policy's text as one fetch found it. */
export interface PolicyText {
  readonly text: string
  /** Rises with every change, where the source counts versions (SSM does, files do not). */
  readonly version?: number
}

/** Where a policy is kept. */
export interface PolicySource {
  /** `file:/etc/sentinel/policy.yaml`, `ssm:eu-central-1:/sentinel/policies/default`. */
  readonly reference: string

  /** Whether reading it needs neither credentials nor a network. */
  readonly isLocal: boolean

  /**
   * Rejects with `POLICY_UNAVAILABLE` when the source did not answer (a passing fault),
   * `POLICY_NOT_FOUND`, `POLICY_INVALID` (too large, not to be decoded) or `FILE_UNTRUSTED`.
   */
  fetch(signal: AbortSignal): Promise<PolicyText>
}
