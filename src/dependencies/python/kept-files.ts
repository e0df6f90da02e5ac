import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Bookkeeping of installers, which differs with each machine and each installation. */
const INFO_FILES: ReadonlySet<string> = new Set([
  "RECORD",
  "RECORD.jws",
  "RECORD.p7s",
  "INSTALLER",
  "REQUESTED",
  "direct_url.json",
]);

/**
 * Whether a file of an installed package belongs in the image. Commands in `bin` begin with the
 * path of the installing machine's Python, their hashes are in RECORD, and bytecode holds times:
 * with them the image would differ from machine to machine.
 */
export function isKeptFile(path: string): boolean {
  const parts = path.split("/");
  if (parts[0] === "bin" || parts.includes("__pycache__")) return false;
  const [directory = "", file = ""] = parts.slice(-2);
  return !(directory.endsWith(".dist-info") && INFO_FILES.has(file));
}

/**
 * Virtual environments in a directory (PEP 405): what an earlier installation for this machine left
 * there.
 */
export function virtualEnvironments(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(directory, entry.name, "pyvenv.cfg")))
    .map(({ name }) => name)
    .sort();
}
