import type { Collection } from "../../layer/collect.ts";
import { readText } from "../../layer/encode/source.ts";
import type { Entry, FileEntry } from "../../tar/entry.ts";
import { linkTarget, realPath } from "../../tar/layer-entry.ts";
import { withFile } from "../binary/file-part.ts";
import type { AppFiles } from "./app-files.ts";
import { zipNames } from "./zip-names.ts";

/** In bytes (limits.h). */
const PATH_MAX = 4096;
const TASK_ROOT = "var/task/";
/** Directories outside the app that a base, an extension or a mounted file system fills. */
const OUTSIDE = /^(?:opt|usr|mnt|tmp|var\/lang|var\/runtime)\//;

/**
 * Returns the files of a collection for a handler search, without ignored files and with links that
 * lead where they do in the image.
 */
export function collectedApp({ files }: Collection): AppFiles {
  const entries = new Map<string, Entry>(files.map(({ path, entry }) => [TASK_ROOT + path, entry]));
  const resolve = (name: string) =>
    name.length > PATH_MAX
      ? undefined
      : realPath(TASK_ROOT + name, (path) => targetOf(path, entries.get(path)));
  const fileAt = (name: string): FileEntry | undefined => {
    const entry = entries.get(resolve(name) ?? "");
    return entry?.kind === "file" ? entry : undefined;
  };
  // A link out of the app may lead to a file of the base.
  const has = (name: string) => fileAt(name) !== undefined || OUTSIDE.test(resolve(name) ?? "");
  return {
    names: {
      has,
      deadLink(name) {
        const entry = entries.get(TASK_ROOT + name);
        return entry?.kind === "symlink" && !has(name) ? entry.target : undefined;
      },
      *[Symbol.iterator]() {
        for (const { path, entry } of files)
          if (entry.kind === "file" || (entry.kind === "symlink" && has(path))) yield path;
      },
    },
    read: async (name) => {
      const entry = fileAt(name);
      try {
        return entry && readText(entry);
      } catch {
        return undefined; // packing fails on an unreadable file, with a better message
      }
    },
    namesInJar: async (name) => withFile(fileAt(name)?.source ?? "", zipNames),
  };
}

function targetOf(path: string, entry: Entry | undefined): string | undefined {
  return entry?.kind === "symlink" ? linkTarget(path, entry.target) : undefined;
}
