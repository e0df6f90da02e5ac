import { stat } from "node:fs/promises";
import { join } from "node:path";
import { type Blobs, openBlobs } from "../blobs/blobs.ts";
import { withLock } from "../blobs/lock.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Descriptor } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import { imageSource } from "../oci/resolve.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import { findIn, type Listing } from "./choose.ts";
import { checkMarker, readIndex, tagOf, updateIndex } from "./layout-files.ts";
import { describeManifest, isWhole } from "./manifest.ts";
import { keepMarker, type Prepared, prepareLayout, removeNewLayout, sweepLayout } from "./prepare.ts";

/**
 * Opens an OCI layout directory (image-spec image-layout.md). Nothing is read or written before the
 * first call; the first `put` creates the directory. Existing images stay. Several processes may
 * publish into one layout at the same time.
 * @throws IMAGE_NOT_FOUND, LAYOUT_INVALID, CONTENT_MISMATCH, WRITE_FAILED, and as `resolveImage`.
 */
export function openLayout(directory: string): ImageSource & ImageSink {
  const name = `oci:${directory}`;
  // Blobs are not synced, as in skopeo, crane and umoci: `has` finds one that a power loss has
  // truncated by its size, and it is put again.
  const blobs = openBlobs(directory, { durability: "unsynced" });
  const put = new Set<Digest>();
  let prepared: Promise<Prepared> | undefined;
  let published = false;
  const putBlob: ImageSink["put"] = async (content, watch) => {
    prepared ??= prepareLayout(directory);
    await prepared;
    put.add(content.descriptor.digest);
    await blobs.put(content, watch);
    return "uploaded";
  };
  return {
    ...imageSource(name, async (reference) => findIn(await listingOf(directory, name, blobs), reference)),
    async isPublished(manifest, tags) {
      const isThere = await isListed(directory, blobs, manifest, tags);
      // No `put` follows, which would sweep the layout.
      if (isThere) await sweepLayout(directory);
      return isThere;
    },
    has: (descriptor) => blobs.has(descriptor),
    put: putBlob,
    async publish(manifest, tags, signal) {
      await putBlob(manifest, { signal });
      const { platform } = await describeManifest(name, manifest, blobs, signal);
      const list = async () => {
        await keepMarker(directory);
        await updateIndex(directory, manifest.descriptor, platform, tags);
      };
      await withLock(join(directory, "index.json.lock"), list, signal);
      published = true;
    },
    async close() {
      const layout = await prepared?.catch(() => undefined);
      if (layout && !published) await removeNewLayout(directory, layout, blobs, put);
    },
  };
}

async function listingOf(directory: string, name: string, blobs: Blobs): Promise<Listing> {
  await checkMarker(directory);
  return {
    name,
    entries: await readIndex(directory),
    open: blobs.open,
    async find(digest) {
      const found = await stat(blobs.pathOf(digest)).catch(() => undefined);
      return found?.isFile()
        ? { mediaType: "application/octet-stream", digest, size: found.size }
        : undefined;
    },
  };
}

/** Returns false for a directory that is missing or not a layout: the first `put` reports that. */
async function isListed(
  directory: string,
  blobs: Blobs,
  manifest: Descriptor,
  tags: readonly string[],
): Promise<boolean> {
  try {
    await checkMarker(directory);
    const entries = (await readIndex(directory)).filter(({ digest }) => digest === manifest.digest);
    const listed = new Set(entries.map(tagOf));
    return entries.length > 0 && tags.every((tag) => listed.has(tag)) && (await isWhole(manifest, blobs));
  } catch (error) {
    if (error instanceof LambdaPackError || hasCode(error, "ENOENT")) return false;
    throw error;
  }
}
