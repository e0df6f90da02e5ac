import { collect } from "../../layer/collect.ts";
import type { Entry } from "../../tar/entry.ts";

/**
 * Lists the files and links in a directory that a package manager filled, without those that
 * `isKept` excludes; sorted by path.
 */
export async function entriesIn(
  directory: string,
  isKept: (path: string) => boolean,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const { files } = await collect({ directory, target: "/", inUse: false, signal });
  const entries: Entry[] = [];
  for (const { entry } of files) if (entry.kind !== "directory" && isKept(entry.path)) entries.push(entry);
  return entries;
}
