import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

const apps = fileURLToPath(new URL("../../../testdata/apps", import.meta.url));

/** A copy of testdata/apps/NAME in the new directory `directory`. */
export function copyApp(name: string, directory: string): void {
  cpSync(join(apps, name), directory, { recursive: true });
}

/** As its author would: npm ci, from the lock. */
export async function nodeApp(directory: string): Promise<void> {
  copyApp("node-app", directory);
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: directory });
}

export async function providedApp(directory: string): Promise<void> {
  copyApp("provided-app", directory);
  chmodSync(join(directory, "bootstrap"), 0o755);
}

const PYTHON_PACKAGES = ["certifi", "chardet", "idna", "jinja2", "markupsafe", "requests", "six", "urllib3"];

/** As `pip install --target` would leave it, with Debian's packages of the same modules: the tests need no PyPI. */
export async function pythonApp(directory: string): Promise<void> {
  copyApp("python-app", directory);
  const work = join(directory, ".debian");
  mkdirSync(work);
  const packages = PYTHON_PACKAGES.map((name) => `python3-${name}`);
  await run("apt-get", ["download", "-q", ...packages], { cwd: work });
  for (const file of readdirSync(work)) await run("dpkg-deb", ["-x", join(work, file), join(work, "root")]);
  const modules = join(work, "root/usr/lib/python3/dist-packages");
  cpSync(modules, directory, { recursive: true });
  rmSync(work, { recursive: true });
  for (const name of readdirSync(directory)) {
    if (/\.(egg|dist)-info$/.test(name)) asPipWould(directory, name);
  }
}

/** NAME-VERSION.dist-info with METADATA, INSTALLER and a RECORD of every file (PyPA, "Recording installed projects"). */
function asPipWould(directory: string, name: string): void {
  const info = join(directory, name.replace(/\.egg-info$/, ".dist-info"));
  renameSync(join(directory, name), info);
  if (existsSync(join(info, "PKG-INFO"))) renameSync(join(info, "PKG-INFO"), join(info, "METADATA"));
  writeFileSync(join(info, "INSTALLER"), "pip\n");
  const top = readFileSync(join(info, "top_level.txt"), "utf8").trim().split(/\s+/);
  const modules = top
    .map((module) => join(directory, module))
    .map((path) => (existsSync(path) ? path : `${path}.py`));
  const files = [info, ...modules].flatMap(filesUnder);
  const lines = files.map((file) => recordLine(directory, file)).sort();
  writeFileSync(join(info, "RECORD"), `${[...lines, `${relative(directory, info)}/RECORD,,`].join("\n")}\n`);
}

/** A module is a directory or one file. */
function filesUnder(directory: string): readonly string[] {
  if (statSync(directory).isFile()) return [directory];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "RECORD")
    .map((entry) => join(entry.parentPath, entry.name));
}

function recordLine(directory: string, file: string): string {
  const bytes = readFileSync(file);
  const hash = createHash("sha256").update(bytes).digest("base64url");
  return `${relative(directory, file)},sha256=${hash},${bytes.length}`;
}
