import { readFile } from "node:fs/promises";
import type { Collection } from "../../layer/collect.ts";
import { numberOf } from "../../layer/file-table.ts";
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

/** Of a million files as strings they would take 85 MB: each is made when it is asked for. */
function namesIn({ files }: Collection): Names {
  return {
    has(path) {
      const found = files.at(numberOf(files, path) ?? files.length);
      return found !== undefined && found.entry.kind !== "directory";
    },
    *[Symbol.iterator]() {
      for (const { path, entry } of files) if (entry.kind !== "directory") yield path;
    },
  };
}

/** Where a regular file is on disk. Most builds ask for a few of their thousands. */
function sources({ files }: Collection): (path: string) => string | undefined {
  return (path) => {
    const entry = files.at(numberOf(files, path) ?? files.length)?.entry;
    return entry?.kind === "file" ? entry.source : undefined;
  };
}
