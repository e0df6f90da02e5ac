import { openLayout } from "../../src/layout/directory.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { send, smallImage } from "./small-image.ts";

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
