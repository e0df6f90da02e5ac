import { delimiter } from "node:path";

/**
 * The PATH that a function gets on this machine: its language's own directory and the system's, as
 * on Lambda.
 */
export function hostPath(languageDirectory: string): string {
  const system = process.platform === "win32" ? [] : ["/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"];
  return [languageDirectory, ...system].join(delimiter);
}
