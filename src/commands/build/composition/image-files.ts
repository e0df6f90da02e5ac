import { join } from "node:path";
import { type FileTree, imageTree } from "../../../dockerfile/trees.ts";
import type { Image } from "../../../oci/image.ts";
import { type ExtractedFiles, extractFiles } from "../../../rootfs/unpack/extract-files.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import type { Session } from "../../../session/session.ts";
import { linkTarget } from "../../../tar/layer-entry.ts";

/**
 * Reads the files of an image at and below `paths`, which are relative to its root; "" is the root.
 * Paths behind links and the targets of hard links are read in a second pass over the layers.
 * @param reference the image's name in messages
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED, WRITE_FAILED, and what reading throws
 */
export async function readImageFiles(
  image: Image,
  paths: readonly string[],
  reference: string,
  session: Session,
): Promise<FileTree> {
  const extracted = await extract(image, paths, session);
  const more = placesBehindLinks(extracted.view, paths);
  return imageTree(
    more.length === 0 ? extracted : await extract(image, [...paths, ...more], session),
    reference,
  );
}

async function extract(
  { layers }: Image,
  paths: readonly string[],
  session: Session,
): Promise<ExtractedFiles> {
  const file = join(await session.cache.makeWorkDirectory(), "files");
  return extractFiles(layers, { paths, file, signal: session.signal });
}

/**
 * Returns the targets of links in the paths, and of hard links at or below them, that the paths do
 * not include.
 */
function placesBehindLinks(view: MergedView, paths: readonly string[]): readonly string[] {
  const real = paths.map((path) => view.resolve(path)?.path ?? path);
  const wanted = [...paths, ...real];
  const isWanted = (path: string) =>
    paths.some((one) => one === "" || path === one || path.startsWith(`${one}/`));
  const places = new Set(real.filter((path) => !isWanted(path)));
  for (const { path, kind, link } of view.entries()) {
    if (kind !== "hardlink" || !wanted.some((one) => path === one || path.startsWith(`${one}/`))) continue;
    const target = linkTarget("", link);
    if (!isWanted(target)) places.add(target);
  }
  return [...places];
}
