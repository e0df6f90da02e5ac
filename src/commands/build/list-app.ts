import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Directories of tools and installed packages, which do not show the app's own language. */
const NOT_THE_APP = /^(?:\..*|node_modules|site-packages|__pycache__|venv|vendor|tests?)$/;
const MAX_NAMES = 5000;
const MAX_LEVELS = 8;

/**
 * Lists an app's own files, the top level first: at most 5000 names in 8 levels. Directories that
 * cannot be read are left out.
 */
export function listApp(directory: string): readonly string[] {
  const names: string[] = [];
  let level: readonly string[] = [""];
  for (let depth = 0; depth < MAX_LEVELS && names.length < MAX_NAMES; depth++) {
    const found = level.map((parent) => listOne(directory, parent));
    names.push(...found.flatMap(({ files }) => files));
    level = found.flatMap(({ directories }) => directories).slice(0, MAX_NAMES);
  }
  return names.slice(0, MAX_NAMES);
}

/** Lists one directory. `parent` is empty or ends with `/`, and so do the returned directories. */
function listOne(directory: string, parent: string) {
  const entries = entriesOf(join(directory, parent));
  return {
    files: entries
      .filter(
        (entry) => entry.isFile() || (entry.isSymbolicLink() && isFile(join(directory, parent, entry.name))),
      )
      .map(({ name }) => parent + name),
    directories: entries
      .filter((entry) => entry.isDirectory() && !NOT_THE_APP.test(entry.name))
      .map(({ name }) => `${parent}${name}/`),
  };
}

function entriesOf(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
