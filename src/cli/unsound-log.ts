import type { ChainReport } from '../ports/log-archive.ts'
import type { Notices } from '../ports/notices.ts'

/** Says why nothing was signed: nobody is to vouch for a log whose chains are broken. */
export function tellUnsound(
  { problems: [first], problemCount }: Pick<ChainReport, 'problems' | 'problemCount'>,
  notices: Pick<Notices, 'refuse'>,
): void {
  const count = problemCount === 1 ? '1 problem' : `${problemCount} problems`
  const place = first?.at ? `${first.at.path}:${first.at.line}: ` : ''
  notices.refuse(
    `nothing was signed, as the log is not sound: ${count}; ${place}${first?.detail ?? ''}`,
    'see what is wrong with it: sentinel audit verify',
  )
}
