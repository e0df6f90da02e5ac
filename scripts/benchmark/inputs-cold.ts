import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../test/support/run.ts";
import { once, writeHalfRandom } from "./inputs.ts";

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
    writeFileSync(join(directory, "index.mjs"), "export const handler = async (event) => event;\n");
  });
}

/**
 * Creates `thousands` thousand files of a few bytes, each of 4 KB on disk. The caller removes them.
 */
export function thousandsOfFiles(directory: string, thousands: number): void {
  writeFileSync(join(directory, "index.mjs"), "export const handler = async (event) => event;\n");
  for (let index = 0; index < thousands; index++) {
    const lib = join(directory, `node_modules/package-${index}/lib`);
    mkdirSync(lib, { recursive: true });
    for (let file = 0; file < 1000; file++)
      writeFileSync(join(lib, `module-${file}.js`), `module.exports = ${index * 1000 + file};\n`);
  }
}
