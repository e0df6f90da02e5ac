import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Virtual environments in a directory (PEP 405): what an earlier installation for this machine left there. */
export function virtualEnvironments(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(directory, entry.name, "pyvenv.cfg")))
    .map(({ name }) => name)
    .sort();
}
