import { chmodSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { run } from "../run.ts";
import { temporaryDirectory } from "../trees.ts";

/** What packages in CommonJS ask for. */
const REQUIRE =
  'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

const bundles = new Map<string, Promise<string>>();

/**
 * A script of this directory as plain JavaScript with all that it needs, in a directory that every user may read: a process of it starts in a moment,
 * where tsx would compile first, and it runs as a user who may not look into this checkout. The path of the file to start.
 */
export function bundled(name: string): Promise<string> {
  const known = bundles.get(name) ?? bundle(name);
  bundles.set(name, known);
  return known;
}

async function bundle(name: string): Promise<string> {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  await esbuild.build({
    entryPoints: [fileURLToPath(new URL(name, import.meta.url))],
    ...{ outdir: directory, outExtension: { ".js": ".mjs" }, logLevel: "error" },
    banner: { js: REQUIRE },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm" },
  });
  return join(directory, name.replace(/\.ts$/, ".mjs"));
}

/** Runs a script of this directory in a process of its own and gives what it printed. */
export async function runTypeScript(name: string, args: readonly string[]): Promise<string> {
  return run(process.execPath, [await bundled(name), ...args]);
}
