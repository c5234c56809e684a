declare const __VERSION__: string | undefined
declare const __COMMIT__: string | undefined

/** Sentinel's version; `source` when it runs unbuilt. */
export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : 'source'

const commit = typeof __COMMIT__ === 'string' ? __COMMIT__ : 'none'

/** What `--version` prints. */
export function versionLine(runtime: string): string {
  return `sentinel ${VERSION} (commit ${commit}, node ${runtime})`
}
