/**
 * What STS's AssumeRoleWithWebIdentity said about a token. STS names the provider by its issuer
 * (`https://token.actions.githubusercontent.com`) or by the ARN of the provider in IAM.
 */
export interface WebIdentity {
  readonly provider: string
  readonly subject: string
}

/** The provider as IAM's condition keys write it: no scheme, no ARN around it. */
export function providerName(provider: string): string {
  return provider.replace(/^(?:https:\/\/|arn:[^:/]+:iam::\d{12}:oidc-provider\/)/, '')
}

/** Writes a provider's name as one part of a text whose parts are divided by `/`. */
export function escapeProvider(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F')
}

/** Reads what {@link escapeProvider} wrote. */
export function unescapeProvider(text: string): string {
  return text.replace(/%(2F|25)/gi, (_, code: string) => (code === '25' ? '%' : '/'))
}
