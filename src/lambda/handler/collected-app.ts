import { posix } from "node:path";
import type { Collection } from "../../layer/collect.ts";
import { readText } from "../../layer/encode/source.ts";
import type { FileEntry } from "../../tar/entry.ts";
import { withFile } from "../binary/file-part.ts";
import type { AppFiles, Names } from "./app-files.ts";
import { zipNames } from "./zip-names.ts";

/** Linux follows at most this many links (path_resolution(7)). */
const MAX_LINKS = 40;
/** In bytes (limits.h). */
const PATH_MAX = 4096;
const TASK_ROOT = "/var/task/";

/**
 * Returns the files of a collection for a handler search, without ignored files and with links that
 * lead where they do in the image.
 */
export function collectedApp({ files }: Collection): AppFiles {
  const sources = new Map<string, FileEntry>();
  const links = new Map<string, string>();
  for (const { path, entry } of files) {
    if (entry.kind === "file") sources.set(path, entry);
    else if (entry.kind === "symlink") links.set(path, entry.target);
  }
  const entryOf = (path: string) => sources.get(path) ?? sources.get(resolveLinks(path, links) ?? "");
  return {
    names: namesOf(sources, links),
    read: async (path) => {
      const entry = entryOf(path);
      try {
        return entry && readText(entry);
      } catch {
        return undefined; // packing fails on an unreadable file, with a better message
      }
    },
    namesInJar: async (path) => withFile(entryOf(path)?.source ?? "", zipNames),
  };
}

function namesOf(sources: ReadonlyMap<string, unknown>, links: ReadonlyMap<string, string>): Names {
  return {
    has(path) {
      if (sources.has(path)) return true;
      if (links.size === 0) return false;
      const real = resolveLinks(path, links);
      // A link out of the app may lead to a file of the base.
      return real === undefined ? leavesApp(path, links) : sources.has(real);
    },
    deadLink(path) {
      return this.has(path) ? undefined : links.get(path);
    },
    *[Symbol.iterator]() {
      yield* sources.keys();
      for (const path of links.keys()) if (this.has(path)) yield path;
    },
  };
}

/**
 * Returns the path with all links resolved; undefined if it is outside the app or links form a
 * cycle.
 */
function resolveLinks(path: string, links: ReadonlyMap<string, string>): string | undefined {
  if (path.length > PATH_MAX) return undefined;
  const rest = path.split("/").reverse();
  let at = "";
  let followed = 0;
  for (let name = rest.pop(); name !== undefined; name = rest.pop()) {
    const next: string = at === "" ? name : `${at}/${name}`;
    const target = links.get(next);
    if (target === undefined) {
      at = next;
      continue;
    }
    const real = targetOf(next, target);
    if (real === undefined || ++followed > MAX_LINKS) return undefined;
    rest.push(...real.split("/").reverse());
    at = "";
  }
  return at;
}

function targetOf(path: string, target: string): string | undefined {
  const real = absolute(path, target);
  return real.startsWith(TASK_ROOT) ? real.slice(TASK_ROOT.length).replace(/\/+$/, "") : undefined;
}

function absolute(path: string, target: string): string {
  return posix.normalize(target.startsWith("/") ? target : `${TASK_ROOT}${posix.dirname(path)}/${target}`);
}

/** Directories outside the app that a base, an extension or a mounted file system fills. */
const OUTSIDE = /^\/(?:opt|usr|mnt|tmp|var\/lang|var\/runtime)\//;

function leavesApp(path: string, links: ReadonlyMap<string, string>): boolean {
  if (path.length > PATH_MAX) return false;
  const parts = path.split("/");
  return parts.some((_, index) => {
    const link = parts.slice(0, index + 1).join("/");
    const target = links.get(link);
    return target !== undefined && OUTSIDE.test(absolute(link, target));
  });
}
