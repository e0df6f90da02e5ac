import { createCipheriv } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../test/support/run.ts";

const manifest = fileURLToPath(new URL("../../testdata/bench/", import.meta.url));
const HANDLER = "export const handler = async (event) => event;\n";
const MEBIBYTE = 1024 * 1024;

/** Creates a Node app with 21,000 files of npm packages, 240 MB, and keeps it for later runs. */
export function manyFiles(): Promise<string> {
  return once("lambda-pack-bench-many-files-1", async (directory) => {
    cpSync(manifest, directory, { recursive: true });
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--omit=peer"];
    await run("npm", ["ci", ...flags, "--legacy-peer-deps"], { cwd: directory });
    writeFileSync(join(directory, "index.mjs"), HANDLER);
  });
}

/**
 * Creates an input of more than 1 GB and keeps it: {@link manyFiles}, and four large files in which
 * every other MiB is random.
 */
export function gigabyte(): Promise<string> {
  return once("lambda-pack-bench-gigabyte-1", async (directory) => {
    cpSync(await manyFiles(), directory, { recursive: true });
    mkdirSync(join(directory, "models"));
    for (let number = 0; number < 4; number++) {
      await writeHalfRandom(join(directory, "models", `model-${number}.bin`), {
        mebibytes: 200,
        turn: 1,
        seed: number,
      });
    }
  });
}

/** The packages of a typical data app, from Debian so that every machine gets the same bytes. */
const PACKAGES = [
  "python3-numpy",
  "python3-scipy",
  "python3-botocore",
  "python3-boto3",
  "python3-cryptography",
  "python3-pandas",
  "python3-pandas-lib",
  "python3-lxml",
  "python3-sqlalchemy",
  "python3-pil",
];

/**
 * Creates a Python app of 290 MB and 9,000 files (sources, bytecode, extension modules, data) and
 * keeps it for later runs.
 */
export function pythonLike(): Promise<string> {
  return once("lambda-pack-bench-python-1", async (directory) => {
    const work = `${directory}.debian`;
    mkdirSync(work);
    await run("apt-get", ["download", "-q", ...PACKAGES], { cwd: work });
    for (const name of readdirSync(work)) await run("dpkg-deb", ["-x", name, "root"], { cwd: work });
    cpSync(join(work, "root/usr/lib/python3/dist-packages"), directory, { recursive: true });
    rmSync(work, { recursive: true });
    const flags = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"];
    await run("python3", ["-m", "compileall", ...flags, directory]);
    writeFileSync(join(directory, "app.py"), "def handler(event, context):\n    return event\n");
  });
}

/** Creates one file of 1 GiB, alternating 8 MiB of random bytes and 8 MiB of code, and keeps it. */
export function halfRandom(): Promise<string> {
  return once("lambda-pack-bench-half-random-1", async (directory) => {
    await writeHalfRandom(join(directory, "model.bin"), { mebibytes: 1024, turn: 8, seed: 1 });
    writeFileSync(join(directory, "index.mjs"), HANDLER);
  });
}

/**
 * Creates `thousands` thousand files of a few bytes, each of 4 KB on disk. The caller removes them.
 */
export function thousandsOfFiles(directory: string, thousands: number): void {
  writeFileSync(join(directory, "index.mjs"), HANDLER);
  for (let index = 0; index < thousands; index++) {
    const lib = join(directory, `node_modules/package-${index}/lib`);
    mkdirSync(lib, { recursive: true });
    for (let file = 0; file < 1000; file++)
      writeFileSync(join(lib, `module-${file}.js`), `module.exports = ${index * 1000 + file};\n`);
  }
}

/**
 * Writes `turn` MiB of random bytes, then `turn` MiB of Node's executable, and so on. AES in
 * counter mode over zeros gives the same bytes on every machine.
 */
async function writeHalfRandom(
  path: string,
  { mebibytes, turn, seed }: { readonly mebibytes: number; readonly turn: number; readonly seed: number },
): Promise<void> {
  const random = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(MEBIBYTE);
  const code = Buffer.alloc(MEBIBYTE);
  const [file, node] = [await open(path, "w"), await open(process.execPath)];
  for (let index = 0; index < mebibytes; index++) {
    if (Math.floor(index / turn) % 2 === 0) await file.write(random.update(zeros));
    else {
      const { bytesRead } = await node.read(code, 0, MEBIBYTE, ((index * 7) % 80) * MEBIBYTE);
      await file.write(code.subarray(0, bytesRead));
    }
  }
  await Promise.all([file.close(), node.close()]);
}

async function once(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(tmpdir(), name);
  if (existsSync(directory)) return directory;
  process.stderr.write(`making ${directory}\n`);
  const partial = mkdtempSync(`${directory}.`);
  const made = join(partial, "app");
  mkdirSync(made);
  await make(made);
  renameSync(made, directory);
  rmSync(partial, { recursive: true });
  return directory;
}

/**
 * Reads every file, so that the first contender does not run with a cold page cache. Returns the
 * number of files and bytes.
 */
export async function warm(directory: string): Promise<{ readonly files: number; readonly bytes: number }> {
  await run("sh", ["-c", 'find "$1" -type f -exec cat {} + >/dev/null', "sh", directory]);
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return { files: files.length, bytes };
}
