import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

/** One entry of a layer, as a reader that is not ours sees it. */
export interface LayerEntry {
  readonly name: string;
  readonly kind: string;
  readonly mode: string | null;
  readonly owner: readonly number[];
  readonly mtime: number;
  readonly link: string;
  readonly size?: number;
  readonly sha256?: string;
}

const script = fileURLToPath(new URL("list-tree.py", import.meta.url));

async function list(kind: "tar" | "directory", path: string): Promise<readonly LayerEntry[]> {
  return JSON.parse(await run("python3", [script, kind, path])) as readonly LayerEntry[];
}

/** What is on disk under `directory`. */
export function readDirectory(directory: string): Promise<readonly LayerEntry[]> {
  return list("directory", directory);
}

/** What Python's tarfile reads. */
export function readWithPython(layer: string): Promise<readonly LayerEntry[]> {
  return list("tar", layer);
}

/** What GNU tar leaves on disk, owners and modes kept: needs root. `directory` is made. */
export async function readWithGnuTar(layer: string, directory: string): Promise<readonly LayerEntry[]> {
  mkdirSync(directory);
  await run("tar", ["-xpzf", layer, "-C", directory, "--same-owner", "--numeric-owner"]);
  return list("directory", directory);
}

/** What bsdtar (libarchive) leaves on disk, owners and modes kept: needs root. `directory` is made. */
export async function readWithBsdTar(layer: string, directory: string): Promise<readonly LayerEntry[]> {
  mkdirSync(directory);
  await run("bsdtar", ["-xpzf", layer, "-C", directory, "--same-owner", "--numeric-owner"]);
  return list("directory", directory);
}

/** Names in the order of the archive, which no directory keeps. */
export async function namesInOrder(layer: string): Promise<readonly string[]> {
  const output = await run("tar", ["-tzf", layer, "--quoting-style=literal"]);
  return output
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => name.replace(/\/$/, ""));
}
