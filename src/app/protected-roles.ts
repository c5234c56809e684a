import { matchesGlob } from '../domain/policy/glob.ts'

/**
 * Roles that AWS made for itself and for the people of Identity Center. Nobody else is let into
 * them, Sentinel neither, so that a `*` which reaches there does not mean them.
 */
const AWS_PATHS = [':role/aws-service-role/', ':role/aws-reserved/']

/** Whose sessions a role's are to be: Sentinel's, AWS's own, or anybody's. */
export type RoleOwner = 'sentinel' | 'aws' | 'anybody'

/**
 * Tells roles apart by the ARNs, or globs over ARNs, that are to be entered through Sentinel alone.
 * Names of roles differ by more than their case, always: so case does not count here, and no
 * spelling slips through.
 */
export function createRoleOwners(patterns: Iterable<string>): (roleArn: string) => RoleOwner {
  const globs = [...new Set([...patterns].map((pattern) => pattern.toLowerCase()))]
  return (roleArn) => {
    const arn = roleArn.toLowerCase()
    const path = AWS_PATHS.find((part) => arn.includes(part))
    const matching = globs.filter((glob) => matchesGlob(glob, arn))
    if (matching.length === 0) return 'anybody'
    return path === undefined || matching.some((glob) => glob.includes(path)) ? 'sentinel' : 'aws'
  }
}
