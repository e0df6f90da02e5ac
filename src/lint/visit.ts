import { setImmediate as breathe } from "node:timers/promises";
import type { ViewEntry } from "../rootfs/merged-view.ts";
import { type ImageFacts, ownFolders, taskRoot } from "./facts.ts";
import type { Problem } from "./rule.ts";

/** A folder of the image, one and the same for all that is in it: what it tells need not be found out for each of them. */
export interface Folder {
  /** Empty for the root. */
  readonly path: string;
  /** Where in the task root it is, with a slash at its end; empty for the task root itself, undefined elsewhere. */
  readonly inside: string | undefined;
  /** Whether all in it is where apps are. */
  readonly isOwn: boolean;
}

/** Something in the image's file system, as a rule is shown it. */
export interface Sighting extends ViewEntry {
  /** The last part of the path. */
  readonly name: string;
  readonly folder: Folder;
  /** Whether it is where apps are: what `isOwnPath` says of it. */
  readonly isOwn: boolean;
}

/** A rule's look at every path. */
export interface Watch {
  /** Called with what is in one folder together. */
  readonly see: (sighting: Sighting) => void;
  /** What is wrong, once all was seen. */
  readonly problems: () => readonly Problem[];
}

/** So many paths take less than a millisecond: layers may be packed meanwhile, and must not wait. */
const STRETCH = 128;

/** Shows all that can be seen in the image to every watch, in one pass: to make a million paths takes longer than to judge them. */
export async function lookAround(
  facts: ImageFacts,
  watches: readonly Watch[],
  signal?: AbortSignal,
): Promise<void> {
  if (watches.length === 0) return;
  let seen = 0;
  for (const sighting of sightings(facts)) {
    for (const { see } of watches) see(sighting);
    if (++seen % STRETCH === 0) await breathe();
    signal?.throwIfAborted();
  }
}

function* sightings(facts: ImageFacts): Generator<Sighting> {
  const own = ownFolders(facts);
  let folder: Folder | undefined;
  for (const { path, kind, mode, size, link, layer } of facts.files.view.entries()) {
    const end = Math.max(0, path.lastIndexOf("/"));
    if (folder?.path.length !== end || !path.startsWith(folder.path))
      folder = folderAt(path.slice(0, end), own, facts);
    const name = end === 0 ? path : path.slice(end + 1);
    const isOwn = folder.isOwn || own.includes(path);
    yield { path, kind, mode, size, link, layer, name, folder, isOwn };
  }
}

function folderAt(path: string, own: readonly string[], facts: ImageFacts): Folder {
  const isIn = (root: string) => path === root || path.startsWith(`${root}/`);
  const root = taskRoot(facts);
  return { path, inside: insideOf(root, path), isOwn: own.some(isIn) };
}

function insideOf(root: string, folder: string): string | undefined {
  if (folder === root) return "";
  if (root === "") return `${folder}/`;
  return folder.startsWith(`${root}/`) ? `${folder.slice(root.length + 1)}/` : undefined;
}
