import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { openLayout } from "../../../src/layout/directory.ts";
import { compose, emptyImage, type ImageChanges } from "../../../src/oci/compose.ts";
import { contentOf } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import type { Image } from "../../../src/oci/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import type { Platform } from "../../../src/oci/platform.ts";
import { temporaryDirectory } from "../trees.ts";
import { AMD64, send } from "./small-image.ts";

/** Text is a file, null a directory. */
export type TarEntry =
  | string
  | null
  | { readonly link: string }
  | { readonly hardlink: string }
  | { readonly text: string | Buffer; readonly mode: number };

export type TarEntries = Readonly<Record<string, TarEntry>>;

/** A tar with exactly these entries, in their order. */
export async function tarWith(entries: TarEntries): Promise<Buffer> {
  const archive = pack();
  const common = { mtime: new Date(0) };
  for (const [name, entry] of Object.entries(entries)) {
    if (entry === null) archive.entry({ ...common, name: `${name}/`, type: "directory", mode: 0o755 });
    else if (typeof entry === "string") archive.entry({ ...common, name, mode: 0o644 }, entry);
    else if ("link" in entry) archive.entry({ ...common, name, type: "symlink", linkname: entry.link });
    else if ("hardlink" in entry) archive.entry({ ...common, name, type: "link", linkname: entry.hardlink });
    else archive.entry({ ...common, name, mode: entry.mode }, entry.text);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
  return Buffer.concat(chunks);
}

/** An image with one layer for each set of entries. */
export async function imageWith(
  layers: readonly TarEntries[],
  settings: Partial<ImageChanges> = {},
  platform: Platform = AMD64,
): Promise<Image> {
  const tars = await Promise.all(layers.map(tarWith));
  const added = tars.map((tar, index) => ({
    name: `layer ${index}`,
    layer: { ...contentOf(MEDIA_TYPES.oci.layer, gzipSync(tar)), diffId: digestOf(tar) },
  }));
  return compose(emptyImage(platform, "oci"), { ...settings, layers: added, created: new Date(0) });
}

/** Puts the image into an OCI layout of its own: `oci:DIR:latest`. */
export async function inLayout(image: Image): Promise<string> {
  const directory = join(temporaryDirectory(), "layout");
  const sink = openLayout(directory);
  await send(image, sink, ["latest"]);
  await sink.close();
  return `oci:${directory}:latest`;
}
