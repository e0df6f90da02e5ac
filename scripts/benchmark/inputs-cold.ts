import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../test/support/run.ts";
import { once, writeHalfRandom } from "./inputs.ts";

/** What a data app on Lambda has in it, from Debian, so that everybody gets the same bytes. */
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

/** A Python app of 290 MB, some 9,000 files: sources, compiled ones as pip leaves them, extension modules, data. Made once on this machine. */
export function pythonLike(): Promise<string> {
  return once("lambda-pack-bench-python-1", async (folder) => {
    const work = `${folder}.debian`;
    mkdirSync(work);
    await run("apt-get", ["download", "-q", ...PACKAGES], { cwd: work });
    for (const name of readdirSync(work)) await run("dpkg-deb", ["-x", name, "root"], { cwd: work });
    cpSync(join(work, "root/usr/lib/python3/dist-packages"), folder, { recursive: true });
    rmSync(work, { recursive: true });
    const flags = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash"];
    await run("python3", ["-m", "compileall", ...flags, folder]);
    writeFileSync(join(folder, "app.py"), "def handler(event, context):\n    return event\n");
  });
}

/** One file of 1 GiB: by turns 8 MiB of random bytes and 8 MiB of code. Made once on this machine. */
export function halfRandom(): Promise<string> {
  return once("lambda-pack-bench-half-random-1", async (folder) => {
    await writeHalfRandom(join(folder, "model.bin"), { mebibytes: 1024, turn: 8, seed: 1 });
    writeFileSync(join(folder, "index.mjs"), "export const handler = async (event) => event;\n");
  });
}

/** 1,000,000 files of a few bytes. Made anew, and to be removed: it takes 4 GB of disk. */
export function millionFiles(folder: string): void {
  writeFileSync(join(folder, "index.mjs"), "export const handler = async (event) => event;\n");
  for (let index = 0; index < 1000; index++) {
    const lib = join(folder, `node_modules/package-${index}/lib`);
    mkdirSync(lib, { recursive: true });
    for (let file = 0; file < 1000; file++)
      writeFileSync(join(lib, `module-${file}.js`), `module.exports = ${index * 1000 + file};\n`);
  }
}
