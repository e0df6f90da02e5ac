import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { TestRegistry } from "../../test/support/registry/registry.ts";

const COUNT = 30;
/** The number and size (bytes) of the files in the dependencies that all functions share. */
const SHARED = { files: 1000, bytes: 10_000 };

const library = pathToFileURL(fileURLToPath(new URL("../../dist/index.js", import.meta.url))).href;

/** Creates a directory with functions that differ in one file. */
function project(host: string): { readonly root: string; readonly names: readonly string[] } {
  const root = mkdtempSync(join(tmpdir(), "lambda-pack-functions-"));
  const names = Array.from({ length: COUNT }, (_, index) => `f${index}`);
  for (const name of names) {
    const shared = join(root, name, "node_modules", "shared");
    mkdirSync(shared, { recursive: true });
    writeFileSync(join(root, name, "index.mjs"), `export const handler = () => "${name}";\n`);
    for (let index = 0; index < SHARED.files; index++)
      writeFileSync(join(shared, `${index}.js`), `${index}`.repeat(SHARED.bytes).slice(0, SHARED.bytes));
  }
  const defaults = {
    base: "scratch",
    entrypoint: ["/run"],
    check: false,
    directory: "{name}",
    to: `${host}/{name}:v1`,
  };
  const functions = Object.fromEntries(names.map((name) => [name, {}]));
  writeFileSync(join(root, "lambda-pack.jsonc"), JSON.stringify({ defaults, functions }));
  return { root, names };
}

/** Runs a program and returns the seconds that it took. */
async function run(code: string): Promise<number> {
  const startedAt = performance.now();
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code]);
  return (performance.now() - startedAt) / 1000;
}

/**
 * Times 30 functions with common dependencies: in one run of a config file, and in 30 runs that
 * share a cache. Returns seconds.
 */
export async function functions(): Promise<{ readonly together: number; readonly oneByOne: number }> {
  const registry = await TestRegistry.start();
  const { root, names } = project(registry.host);
  try {
    const cache = (name: string) => JSON.stringify(join(root, name));
    const config = JSON.stringify(join(root, "lambda-pack.jsonc"));
    const call = (more: string, directory: string) =>
      `import { buildFunctions } from ${JSON.stringify(library)};
       await buildFunctions({ config: ${config}, cacheDir: ${cache(directory)}${more} });`;
    const together = await run(call("", "cache-together"));
    // Other repositories, so that no blob of the first run is present.
    const other = `, options: { to: "${registry.host}/single/{name}:v1" }`;
    let oneByOne = 0;
    for (const name of names) oneByOne += await run(call(`${other}, functions: ["${name}"]`, "cache-single"));
    return { together, oneByOne };
  } finally {
    await registry.stop();
    rmSync(root, { recursive: true, force: true });
  }
}
