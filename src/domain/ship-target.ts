/**
 * Where the decision log is shipped to, as settings write it: `cloudwatch:GROUP/STREAM` or an
 * `https://` address; `http://` for this machine alone.
 *
 * @module
 */

export type ShipTarget =
  | { readonly kind: 'cloudwatch'; readonly group: string; readonly stream: string }
  | { readonly kind: 'url'; readonly url: string }

/** What every target matches. Groups may hold slashes: the stream is what follows the last. */
export const SHIP_TARGET =
  /^(?:cloudwatch:[\w./#-]{1,512}\/[^\s:*/]{1,512}|https?:\/\/[^\s/@]+(?:\/\S*)?)$/

/** Reads a target; `undefined` when it is none. Whether a URL is safe is the setting's to say. */
export function parseShipTarget(text: string): ShipTarget | undefined {
  if (!SHIP_TARGET.test(text)) return undefined
  if (!text.startsWith('cloudwatch:')) return { kind: 'url', url: text }
  const path = text.slice('cloudwatch:'.length)
  const at = path.lastIndexOf('/')
  return { kind: 'cloudwatch', group: path.slice(0, at), stream: path.slice(at + 1) }
}

/** A target as settings are shown: of a URL what it leads to, as the rest may hold a secret. */
export function maskTarget(text: string): string {
  if (parseShipTarget(text)?.kind === 'cloudwatch') return text
  const url = URL.parse(text)
  if (url === null) return 'a URL'
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`
}

/** What may be shown of a target: of a URL its host, as the path may hold a secret. */
export function shownTarget(target: ShipTarget): string {
  if (target.kind === 'cloudwatch') return `cloudwatch:${target.group}/${target.stream}`
  return URL.parse(target.url)?.host ?? 'a URL'
}
