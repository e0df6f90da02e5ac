import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { openLayout } from "../../../src/layout/directory.ts";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { contentOf } from "../../../src/oci/content.ts";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import type { Image, Layer } from "../../../src/oci/image.ts";
import { type Family, MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import type { Platform } from "../../../src/oci/platform.ts";
import type { ImageSink } from "../../../src/oci/store.ts";

export const AMD64: Platform = { os: "linux", architecture: "amd64" };
export const ARM64: Platform = { os: "linux", architecture: "arm64" };

/** A tar of text files, with fixed times. */
export async function tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  const chunks: Uint8Array[] = [];
  for (const [name, text] of Object.entries(files)) archive.entry({ name, mtime: new Date(0) }, text);
  archive.finalize();
  for await (const chunk of archive) chunks.push(chunk as Uint8Array); // tar-stream's types say unknown
  return Buffer.concat(chunks);
}

export async function layerOf(
  files: Readonly<Record<string, string>>,
  family: Family = "oci",
): Promise<Layer> {
  const tar = await tarOf(files);
  return { ...contentOf(MEDIA_TYPES[family].layer, gzipSync(tar)), diffId: digestOf(tar) };
}

export interface SmallImage {
  readonly platform?: Platform;
  readonly family?: Family;
  /** What makes this image another one. */
  readonly text?: string;
}

/** An image of two layers, in memory. */
export async function smallImage(options: SmallImage = {}): Promise<Image> {
  const { platform = AMD64, family = "oci", text = "hello" } = options;
  const layers = [
    { name: "deps", layer: await layerOf({ "var/task/lib.txt": "library" }, family) },
    { name: "app", layer: await layerOf({ "var/task/app.txt": text }, family) },
  ];
  return compose(emptyImage(platform, family), { layers, created: new Date(0), cmd: ["app.handler"] });
}

/** Puts every blob and publishes; does not close. */
export async function send(image: Image, sink: ImageSink, tags: readonly string[]): Promise<void> {
  await Promise.all([image.config, ...image.layers].map((content) => sink.put(content)));
  await sink.publish(image.manifest, tags);
}

/** Publishes small images into a layout, by their tags; the tag "" stands for none. */
export async function fillLayout(directory: string, images: Readonly<Record<string, string>>): Promise<void> {
  for (const [tag, text] of Object.entries(images)) {
    const sink = openLayout(directory);
    await send(await smallImage({ text }), sink, tag === "" ? [] : [tag]);
    await sink.close();
  }
}

/** The digest of what a tag names; without a tag, of the only image. */
export async function digestOfTag(directory: string, tag?: string): Promise<Digest> {
  const { manifest } = await openLayout(directory).pull(tag, undefined);
  return manifest.descriptor.digest;
}
