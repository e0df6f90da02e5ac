import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../../../src", import.meta.url));

/** The directories of src/, the uppermost first. A directory imports only from those below it. */
const ORDER = [
  ["cli"],
  ["index"],
  ["report"],
  ["commands"],
  ["lint"],
  ["dependencies", "runtime"],
  ["base"],
  ["session"],
  ["dockerfile"],
  ["aws"],
  ["registry", "layout"],
  ["cache"],
  ["lambda"],
  ["rootfs"],
  ["layer"],
  ["blobs"],
  ["tar"],
  ["oci"],
  ["async"],
  ["events"],
  ["errors"],
] as const;

/** The public commands; each imports only from those behind it. Files directly in commands/ that are not commands serve all of them. */
const COMMANDS = [["deploy", "check"], ["invoke", "dev"], ["build"], ["push"]] as const;

/** The only file that imports each third-party package. */
const IMPORTED_BY: Readonly<Record<string, RegExp>> = {
  "@aws-sdk/client-ecr": /^aws\//,
  "@aws-sdk/client-lambda": /^aws\//,
  "dockerfile-ast": /^dockerfile\/instructions\.ts$/,
  "p-limit": /^async\/concurrency\.ts$/,
  "smol-toml": /^dependencies\/lock-file\.ts$/,
  "string-width": /^cli\/text\/wrap\.ts$/,
  "tar-stream": /^tar\/archive\.ts$/,
  "wrap-ansi": /^cli\/text\/wrap\.ts$/,
  commander: /^cli\/arguments\/(?:parse|help)\.ts$/,
  esbuild: /^(?:commands\/build\/bundle\/bundle|report\/assets)\.ts$/,
  got: /^registry\/http\/http\.ts$/,
  hpagent: /^registry\/http\/agent\.ts$/,
  "jsonc-parser": /^commands\/config\/parse\.ts$/,
  ora: /^cli\/report\/terminal\.ts$/,
  pako: /^layer\/encode\/pako\.ts$/,
  fzstd: /^commands\/push\/for-lambda\/zstd\.ts$/,
  tldts: /^registry\/auth\/realm\.ts$/,
  yauzl: /^dependencies\/zip\.ts$/,
};

interface Import {
  readonly file: string;
  readonly target: string;
  /** `import type`, which is gone when the code runs. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.c?ts$/.test(name));
const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), "utf8");
  const found = text.matchAll(
    /(?:\b(import|export)\b([^"';]*?)\bfrom\s+|\bimport\s+|(\bimport\())"([^"]+)"/g,
  );
  return [...found].map(([, , clause = "", call, target = ""]) => ({
    file,
    target,
    typeOnly: /^\s*type\b/.test(clause),
    dynamic: call !== undefined,
  }));
});

const inside = imports
  .filter(({ target }) => target.startsWith("."))
  .map((found) => ({ ...found, to: relative(src, join(src, dirname(found.file), found.target)) }))
  .filter(({ to }) => !to.startsWith(".."));

function directoryOf(file: string): string {
  return (file.split("/")[0] ?? "").replace(/\.c?ts$/, "");
}

function heightOf(directory: string): number {
  const height = ORDER.findIndex((names) => (names as readonly string[]).includes(directory));
  assert.notEqual(height, -1, `${directory} has no place in the order of directories`);
  return height;
}

function commandOf(file: string): number {
  const name = /^commands\/([^/.]+)/.exec(file)?.[1] ?? "";
  return COMMANDS.findIndex((names) => (names as readonly string[]).includes(name));
}

describe("imports of src/", () => {
  it("point from each directory only to directories below it", () => {
    const upwards = inside
      // Events speak of digests: the types only.
      .filter(
        ({ file, to, typeOnly }) => !(typeOnly && directoryOf(file) === "events" && to.startsWith("oci/")),
      )
      .filter(({ file, to }) => heightOf(directoryOf(file)) > heightOf(directoryOf(to)))
      .map(({ file, to }) => `${file} -> ${to}`);
    assert.deepEqual(upwards, []);
  });

  it("go from one command to another in one direction only", () => {
    const wrong = inside
      .filter(({ file, to }) => file.startsWith("commands/") && to.startsWith("commands/"))
      .filter(({ file, to }) => commandOf(to) !== -1 && commandOf(file) > commandOf(to))
      .map(({ file, to }) => `${file} -> ${to}`);
    assert.deepEqual(wrong, []);
  });

  it("bring in each third-party package through one file", () => {
    const wrong = imports
      .filter(({ target }) => !target.startsWith(".") && !target.startsWith("node:"))
      .filter(({ file, target }) => !IMPORTED_BY[target]?.test(file))
      .map(({ file, target }) => `${file} imports ${target}`);
    assert.deepEqual(wrong, []);
  });
});

describe("files of src/", () => {
  it("files of src/ are at most 250 lines long", () => {
    const long = files.filter((file) => readFileSync(join(src, file), "utf8").split("\n").length > 251);
    assert.deepEqual(long, []);
  });

  it("files of src/ are at most 15 in one directory", () => {
    const counts = new Map<string, number>();
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    assert.deepEqual(
      [...counts].filter(([, count]) => count > 15),
      [],
    );
  });
});
