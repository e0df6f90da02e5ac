import { delimiter } from "node:path";

/**
 * Returns the PATH of a function on this machine: the directory of its language and those of the
 * system, as on Lambda.
 */
export function hostPath(languageDirectory: string): string {
  const system = process.platform === "win32" ? [] : ["/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"];
  return [languageDirectory, ...system].join(delimiter);
}
