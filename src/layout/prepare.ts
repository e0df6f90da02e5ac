import { readdir, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { BLOB_STEM, type Blobs } from "../blobs/blobs.ts";
import { makeDirectories, writeFailed } from "../blobs/disk.ts";
import { DIRECTORY_MODE, FILE_STEM, replaceFile, sweepPartials } from "../blobs/partial.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { checkMarker, LAYOUT_MARKER } from "./layout-files.ts";

/** A layout that is ready to be written to. */
export interface Prepared {
  /** The topmost directory that was created; undefined if `directory` existed. */
  readonly made: string | undefined;
  /** true: the directory was not a layout before. */
  readonly isNew: boolean;
}

/** Names that another process may have created while it makes the same layout. */
const OURS = /^(oci-layout|index\.json(\.lock.*)?|blobs|\..*\.partial)$/;

/**
 * Makes `directory` an OCI layout and keeps its images. Removes partial files of killed runs.
 * @throws LAYOUT_INVALID for a directory with other files, WRITE_FAILED.
 */
export async function prepareLayout(directory: string): Promise<Prepared> {
  const names = await namesIn(directory);
  if (names.includes("oci-layout")) {
    await checkMarker(directory);
    await sweepLayout(directory);
    return { made: undefined, isNew: false };
  }
  const foreign = names.find((name) => !OURS.test(name));
  if (foreign !== undefined) throw occupied(directory, foreign);
  const made = makeDirectories(directory, DIRECTORY_MODE.shared);
  // A run may have been killed while it wrote the marker.
  await sweepLayout(directory);
  try {
    await writeMarker(directory);
  } catch (error) {
    if (made !== undefined) await removeEmpty(upTo(resolve(directory), resolve(made)));
    throw error;
  }
  return { made, isNew: true };
}

/** Removes the partial files of killed runs from a layout. */
export async function sweepLayout(directory: string): Promise<void> {
  await sweepPartials(directory, (stem) => stem === BLOB_STEM || stem === FILE_STEM);
}

/** Writes the marker again if another process, which created the layout as well, has removed it. */
export async function keepMarker(directory: string): Promise<void> {
  if (!(await namesIn(directory)).includes("oci-layout")) await writeMarker(directory);
}

async function writeMarker(directory: string): Promise<void> {
  await replaceFile(join(directory, "oci-layout"), LAYOUT_MARKER, { durability: "unsynced" });
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw writeFailed(directory, error);
  }
}

function occupied(directory: string, foreign: string): LambdaPackError {
  return new LambdaPackError(
    "LAYOUT_INVALID",
    `${directory} is not an OCI layout and holds other things, such as ${JSON.stringify(foreign)}`,
    { hint: "name a new directory, an empty one or an OCI layout" },
  );
}

/**
 * Removes a new layout into which nothing was published: the blobs that were put, then every empty
 * directory. Files of another process that has begun to use the layout stay.
 */
export async function removeNewLayout(
  directory: string,
  { made, isNew }: Prepared,
  blobs: Blobs,
  put: Iterable<Digest>,
): Promise<void> {
  if (!isNew || (await namesIn(directory)).includes("index.json")) return;
  for (const digest of put) await rm(blobs.pathOf(digest), { force: true });
  const emptied = await removeEmpty([join(directory, "blobs", "sha256"), join(directory, "blobs")]);
  if (!emptied) return;
  await rm(join(directory, "oci-layout"), { force: true });
  if (made !== undefined) await removeEmpty(upTo(resolve(directory), resolve(made)));
}

/** Returns the directories from `directory` up to `top`. */
export function upTo(directory: string, top: string): readonly string[] {
  const directories = [directory];
  while (directories.at(-1) !== top && directories.length < 100)
    directories.push(dirname(directories.at(-1) ?? top));
  return directories;
}

/** Removes directories in this order, until one is not empty. Returns whether all are gone. */
export async function removeEmpty(directories: readonly string[]): Promise<boolean> {
  for (const directory of directories) {
    try {
      await rmdir(directory);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) return false;
    }
  }
  return true;
}
