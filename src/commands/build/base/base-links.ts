import { loadOnce } from "../../../async/single-flight.ts";
import { LambdaPackError } from "../../../errors.ts";
import type { Collection, SourceFile } from "../../../layer/collect.ts";
import type { Image } from "../../../oci/image.ts";
import { scanImage } from "../../../rootfs/scan-image.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { type Entry, parentOf, sortByName, tarName } from "../../../tar/entry.ts";

/**
 * System directories, in which Linux distributions have links such as /bin -> usr/bin. The
 * directories for applications are not among them.
 */
const SYSTEM =
  /^(?:bin|sbin|lib[^/]*|run|etc|usr\/(?!src(?:\/|$)|local(?:\/|$)).+|var\/(?!task(?:\/|$)|runtime(?:\/|$)).+)(?:\/|$)/;

/** The merged view of each base, so that its layers are read only once. */
const views = new WeakMap<Image, Promise<MergedView>>();

/**
 * Returns the merged view of a base; reads its layers on the first call.
 * @throws what reading throws
 */
export function baseView(base: Image, signal: AbortSignal): Promise<MergedView> {
  return loadOnce(views, base, async () => (await scanImage(base.layers, { signal })).view);
}

/**
 * Moves files behind the links of the base: where the base has `bin -> usr/bin`, `bin/tool` goes to
 * `usr/bin/tool`, as with Docker's COPY. A directory in place of the link would hide the base's
 * programs. Reads the base's layers only if a file is in a directory that `mayBeLinked` accepts;
 * default: a system directory.
 * @throws FILE_NAME if two files get the same path
 */
export async function placeBehindLinks(
  collection: Collection,
  base: Image,
  signal: AbortSignal,
  mayBeLinked: (directory: string) => boolean = (directory) => SYSTEM.test(directory),
): Promise<Collection> {
  const directories = new Set(collection.files.map(({ entry }) => directoryOf(entry)));
  if (base.layers.length === 0 || ![...directories].some(mayBeLinked)) return collection;
  const view = await baseView(base, signal);
  const places = new Map([...directories].map((path) => [path, placeOf(path, view)]));
  const moved = collection.files.map(({ path, entry }) => ({ path, entry: placed(entry, places) }));
  const files = sortByName(moved, ({ entry }) => tarName(entry));
  rejectCollisions(files);
  return { ...collection, files };
}

function directoryOf(entry: Entry): string {
  return entry.kind === "directory" ? entry.path : parentOf(entry.path);
}

function placed(entry: Entry, places: ReadonlyMap<string, string>): Entry {
  const directory = directoryOf(entry);
  const place = places.get(directory) ?? directory;
  if (entry.kind === "directory") return { ...entry, path: place };
  const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
  return { ...entry, path: place === "" ? name : `${place}/${name}` };
}

/** Resolves the part of the path that the base has. */
function placeOf(directory: string, view: MergedView): string {
  if (directory === "") return directory;
  const found = view.resolve(directory);
  if (found) return found.kind === "directory" ? found.path : directory;
  const parent = placeOf(parentOf(directory), view);
  const name = directory.slice(directory.lastIndexOf("/") + 1);
  return parent === "" ? name : `${parent}/${name}`;
}

function rejectCollisions(files: readonly SourceFile[]): void {
  for (const [index, { path, entry }] of files.entries()) {
    const next = files[index + 1];
    if (next?.entry.path !== entry.path || entry.kind === "directory") continue;
    throw new LambdaPackError(
      "FILE_NAME",
      `${path} and ${next.path} are both /${entry.path} in the image, because the base has a link there`,
      { hint: `leave one of them out, for example: --exclude ${path}` },
    );
  }
}
