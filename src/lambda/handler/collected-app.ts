import { readFile } from "node:fs/promises";
import type { Collection } from "../../layer/collect.ts";
import type { AppFiles, Names } from "./app-files.ts";
import { withFile } from "./file-on-disk.ts";
import { zipNames } from "./zip-names.ts";

/** A collection as a handler search sees it: what is ignored is not there. */
export function collectedApp(files: Collection): AppFiles {
  const sourceOf = sources(files);
  return {
    names: namesIn(files),
    read: (path) => readFile(sourceOf(path) ?? path, "utf8"),
    namesInJar: async (path) => withFile(sourceOf(path) ?? "", zipNames),
  };
}

function namesIn({ files }: Collection): Names {
  return new Set(files.flatMap(({ path, entry }) => (entry.kind === "directory" ? [] : [path])));
}

/** Gives the place on disk of a regular file. */
function sources({ files }: Collection): (path: string) => string | undefined {
  const byPath = new Map(
    files.flatMap(({ path, entry }) => (entry.kind === "file" ? [[path, entry.source] as const] : [])),
  );
  return (path) => byPath.get(path);
}
