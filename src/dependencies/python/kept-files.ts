import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Records of installers, which differ between machines and installations. */
const INFO_FILES: ReadonlySet<string> = new Set([
  "RECORD",
  "RECORD.jws",
  "RECORD.p7s",
  "INSTALLER",
  "REQUESTED",
  "direct_url.json",
]);

/**
 * Returns whether a file of an installed package belongs in the image. Commands in `bin` contain
 * the path of the installing machine's Python, RECORD contains their hashes, and bytecode contains
 * times, so the image would differ between machines.
 */
export function isKeptFile(path: string): boolean {
  const parts = path.split("/");
  if (parts[0] === "bin" || parts.includes("__pycache__")) return false;
  const [directory = "", file = ""] = parts.slice(-2);
  return !(directory.endsWith(".dist-info") && INFO_FILES.has(file));
}

/**
 * Lists the virtual environments in a directory (PEP 405), which an earlier installation for this
 * machine created.
 */
export function virtualEnvironments(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(directory, entry.name, "pyvenv.cfg")))
    .map(({ name }) => name)
    .sort();
}
