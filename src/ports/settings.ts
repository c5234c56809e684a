/**
 * What the settings may say. Durations are seconds; docs/commands.md and `config show` list them.
 */
export interface Settings {
  readonly profile?: string
  /** `file:PATH` or `ssm:[REGION:]NAME`. */
  readonly policy?: string
  readonly region?: string
  readonly awsProfile?: string
  readonly output?: 'text' | 'json'
  readonly server?: boolean
  readonly lazy?: boolean
  readonly duration?: number
  readonly serverDuration?: number
  readonly mfaSessionDuration?: number
  readonly logFile?: string
  readonly logStderr?: boolean
  /** Bytes. */
  readonly logMaxSize?: number
  readonly logMaxAge?: number
  /** `dynamodb:[REGION:]TABLE`, or a table's ARN. */
  readonly logAnchor?: string
  /** `cloudwatch:GROUP/STREAM`, or a URL. */
  readonly logShip?: string
  readonly sessionStore?: string
  readonly requestStore?: string
  readonly breakGlassStore?: string
  readonly sessionOutage?: 'allow' | 'deny'
  readonly sessionGrace?: number
  readonly sessionOutageMax?: number
  readonly sessionTags?: boolean
  /** https only. */
  readonly endpoints?: {
    readonly [service in
      | 'sts'
      | 'ssm'
      | 'dynamodb'
      | 'sns'
      | 'kms'
      | 'cloudtrail'
      | 'logs']?: string
  }
  readonly proxy?: string
  readonly keepAwsConfig?: boolean
}

export type SettingKey = keyof Settings

/** Those that always have a value. */
export type DefaultSettings = Required<
  Pick<
    Settings,
    | 'output'
    | 'server'
    | 'lazy'
    | 'duration'
    | 'serverDuration'
    | 'mfaSessionDuration'
    | 'logFile'
    | 'logStderr'
    | 'logMaxSize'
    | 'logMaxAge'
    | 'sessionTags'
    | 'keepAwsConfig'
  >
>
