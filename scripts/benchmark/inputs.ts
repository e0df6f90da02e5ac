import { execFile } from "node:child_process";
import { createCipheriv } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const manifest = fileURLToPath(new URL("../../testdata/bench/", import.meta.url));
const HANDLER = "export const handler = async (event) => event;\n";
const MEBIBYTE = 1024 * 1024;

/** A Node app with some 21,000 files of packages, 240 MB, from npm. Made once on this machine. */
export function manyFiles(): Promise<string> {
  return once("lambda-pack-bench-many-files-1", async (folder) => {
    cpSync(manifest, folder, { recursive: true });
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--omit=peer"];
    await execute("npm", ["ci", ...flags, "--legacy-peer-deps"], { cwd: folder });
    writeFileSync(join(folder, "index.mjs"), HANDLER);
  });
}

/** 1 GB and more: the app of {@link manyFiles}, and four large files, every other mebibyte of them random. Made once on this machine. */
export function gigabyte(): Promise<string> {
  return once("lambda-pack-bench-gigabyte-1", async (folder) => {
    cpSync(await manyFiles(), folder, { recursive: true });
    mkdirSync(join(folder, "models"));
    for (let number = 0; number < 4; number++) {
      await writeHalfRandom(join(folder, "models", `model-${number}.bin`), {
        mebibytes: 200,
        turn: 1,
        seed: number,
      });
    }
  });
}

/** The same bytes on every machine: AES in counter mode over zeros. The others are this program's Node, which deflates. By turns of `turn` MiB. */
export async function writeHalfRandom(
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

export async function once(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(tmpdir(), name);
  if (existsSync(folder)) return folder;
  process.stderr.write(`making ${folder}\n`);
  const partial = mkdtempSync(`${folder}.`);
  const made = join(partial, "app");
  mkdirSync(made);
  await make(made);
  renameSync(made, folder);
  await execute("rm", ["-r", dirname(made)]);
  return folder;
}

/** Files and bytes, after having read every one: the first contender must not pay for a cold page cache. */
export async function warm(folder: string): Promise<{ readonly files: number; readonly bytes: number }> {
  await execute("sh", ["-c", 'find "$1" -type f -exec cat {} + >/dev/null', "sh", folder]);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return { files: files.length, bytes };
}
