import { chmodSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "../../../src/index.ts";

/**
 * A process of its own, in whatever surroundings, that builds one app in several ways: with the files made in this or that order, with these or
 * those times and rights, without a cache, into an empty one and from a filled one. Prints the digest of each.
 */
const [parent = "", mask = "022"] = process.argv.slice(2);
process.umask(Number.parseInt(mask, 8));

const FILES: readonly (readonly [path: string, text: string])[] = [
  ["main", "#!/bin/sh\n"],
  ["Zebra.txt", "z"],
  ["ähre.txt", "a"],
  ["apfel.txt", "b"],
  ["data/i.txt", "i".repeat(3_000_000)],
  ["data/I.txt", "I"],
  ["node_modules/b/index.js", "exports.b = 2;\n".repeat(90_000)],
  ["node_modules/a/index.js", "exports.a = 1;\n"],
];

function makeApp(name: string, reversed: boolean, seconds: number): string {
  const root = join(parent, name);
  for (const [path, text] of reversed ? [...FILES].reverse() : FILES) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    if (seconds > 0) utimesSync(join(root, path), seconds, seconds);
  }
  chmodSync(join(root, "main"), reversed ? 0o700 : 0o755);
  return root;
}

async function digest(directory: string, cache: string | undefined): Promise<string> {
  const built = await build({
    directory,
    base: "scratch",
    check: false,
    cmd: ["main"],
    to: `oci:${join(parent, "out")}`,
    environment: {},
    ...(cache === undefined ? { cache: false } : { cacheDir: join(parent, cache) }),
  });
  return built.digest;
}

const [first, second] = [makeApp("first", false, 0), makeApp("second", true, 1_600_000_000)];
for (const app of [first, second]) {
  for (const cache of [undefined, `${app === first}`, `${app === first}`, "both"])
    process.stdout.write(`${await digest(app, cache)}\n`);
}
