/**
 * Converts a path that is written for Windows to one for this system.
 * @returns undefined on Windows, and for a path without a drive or a backslash.
 */
export function toPosixPath(path: string, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform === "win32" || !isWindowsPath(path)) return undefined;
  const slashed = path.replaceAll("\\", "/");
  const [, drive, rest = ""] = /^([A-Za-z]):\/*(.*)$/s.exec(slashed) ?? [];
  return drive === undefined ? slashed : `/mnt/${drive.toLowerCase()}/${rest}`;
}

/** Returns whether a text starts with a drive or contains a backslash. */
export function isWindowsPath(text: string): boolean {
  return /^[A-Za-z]:[\\/]|\\/.test(text);
}
