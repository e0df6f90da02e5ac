import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Group } from "../../layer/split.ts";
import { type AllDuplicates, MIN_DUPLICATE_BYTES } from "../../rootfs/contents.ts";
import type { Entry } from "../../tar/entry.ts";

type File = Extract<Entry, { readonly kind: "file" }>;

const MAX_LISTED = 100;

/** Finds duplicates among the files to pack. Reads only files with the size of another one. */
export async function duplicatesOnDisk(
  groups: readonly Group[],
  signal: AbortSignal,
): Promise<AllDuplicates> {
  const files: File[] = [];
  for (const { entries } of groups) for (const entry of entries) if (isLarge(entry)) files.push(entry);
  const duplicates: File[][] = [];
  for (const same of grouped(files, ({ size }) => size)) {
    const digests = new Map<File, string>();
    for (const file of same) digests.set(file, await digestOf(file, signal));
    duplicates.push(...grouped(same, (file) => digests.get(file)));
  }
  const list = duplicates
    .map((same) => ({ size: same[0]?.size ?? 0, copies: same.length, paths: same.map(({ path }) => path) }))
    .sort((a, b) => b.size * (b.copies - 1) - a.size * (a.copies - 1));
  const total = {
    files: list.reduce((sum, { copies }) => sum + copies - 1, 0),
    bytes: list.reduce((sum, { size, copies }) => sum + size * (copies - 1), 0),
  };
  return { total, list: list.slice(0, MAX_LISTED) };
}

function isLarge(entry: Entry): entry is File {
  return entry.kind === "file" && entry.size >= MIN_DUPLICATE_BYTES;
}

/** Groups the files by key, without groups of one. */
function grouped(files: readonly File[], keyOf: (file: File) => unknown): readonly File[][] {
  const groups = new Map<unknown, File[]>();
  for (const file of files) groups.set(keyOf(file), [...(groups.get(keyOf(file)) ?? []), file]);
  return [...groups.values()].filter(({ length }) => length > 1);
}

async function digestOf({ source, size, offset: start = 0 }: File, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const bytes = createReadStream(source, { start, end: start + size - 1, signal });
  for await (const chunk of bytes) hash.update(chunk as Uint8Array); // Node declares any
  return hash.digest("hex");
}
