import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Content } from "../../src/oci/content.ts";
import { digestOf } from "../../src/oci/digest.ts";
import type { Spool } from "../../src/oci/store.ts";

/** A text or bytes is a file, null an empty directory. */
export type Leaf =
  | string
  | Uint8Array
  | null
  | { readonly link: string }
  | { readonly file: string | Uint8Array; readonly mode: number };

/** Leaves by path; directories come by themselves. */
export type Tree = Readonly<Record<string, Leaf>>;

const directories: string[] = [];

process.on("exit", () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** An empty directory (its real path) that lasts as long as the tests of the file, where also those get to who are not root. */
export function temporaryDirectory(): string {
  const parent = isOpen(realpathSync(tmpdir())) ? tmpdir() : "/tmp";
  const directory = realpathSync(mkdtempSync(join(parent, "lambda-pack-test-")));
  directories.push(directory);
  return directory;
}

/** Whether everybody may pass through the directory and all above it; we may in any case, unless we are root and become somebody else. */
function isOpen(directory: string): boolean {
  if (process.getuid?.() !== 0) return true;
  const isPassable = (statSync(directory).mode & 0o001) !== 0;
  return isPassable && (directory === dirname(directory) || isOpen(dirname(directory)));
}

/** A directory with these leaves, made in their order. */
export function makeTree(tree: Tree): string {
  const root = temporaryDirectory();
  addTree(root, tree);
  return root;
}

export function addTree(root: string, tree: Tree): void {
  for (const [path, leaf] of Object.entries(tree)) addLeaf(join(root, path), leaf);
}

function addLeaf(path: string, leaf: Leaf): void {
  mkdirSync(leaf === null ? path : dirname(path), { recursive: true });
  if (leaf === null) return;
  if (typeof leaf === "string" || leaf instanceof Uint8Array) writeFileSync(path, leaf);
  else if ("link" in leaf) symlinkSync(leaf.link, path);
  else {
    writeFileSync(path, leaf.file);
    chmodSync(path, leaf.mode);
  }
}

export function makeFifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

/** Whole numbers below a limit that look random and are the same every time. */
export function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Bytes that look random and are the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const next = random(seed);
  return Buffer.from(Array.from({ length }, () => next(256)));
}

/** Keeps everything in memory. */
export const memorySpool: Spool = {
  async write(mediaType, source): Promise<Content> {
    const bytes = await bytesOf(source);
    return {
      descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
      async *read(from = 0) {
        yield bytes.subarray(from);
      },
    };
  },
};

export async function bytesOf(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Every path below a directory, sorted. */
export function pathsIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
}
