/** The command to run when none is named: the user's shell. */
export function defaultCommand(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string {
  // An empty variable counts as none.
  if (platform === 'win32') return env.ComSpec || env.COMSPEC || 'cmd.exe'
  return env.SHELL || '/bin/sh'
}
