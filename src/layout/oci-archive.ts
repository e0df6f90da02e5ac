import type { Descriptor } from "../oci/content.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import { imageSource } from "../oci/resolve.ts";
import type { ImageSink, ImageSource } from "../oci/store.ts";
import { openArchive } from "./archive.ts";
import { archiveSink, jsonOf, onceEach } from "./archive-sink.ts";
import { findIn, type Listing } from "./choose.ts";
import { indexBytes, LAYOUT_MARKER, parseIndex, parseMarker } from "./layout-files.ts";

/** Reads an archive of an OCI layout, as skopeo, buildah and `docker buildx -o type=oci` write. */
export function ociArchiveSource(path: string): ImageSource {
  const name = `oci-archive:${path}`;
  return imageSource(name, async (reference, signal) =>
    findIn(await listingOf(path, name, signal), reference),
  );
}

async function listingOf(path: string, name: string, signal?: AbortSignal): Promise<Listing> {
  const archive = await openArchive(path, signal);
  parseMarker(await archive.document("oci-layout"), `${path}: oci-layout`);
  const entries = parseIndex(await archive.document("index.json"), `${path}: index.json`);
  const fileOf = (digest: Digest) => archive.find(`blobs/sha256/${hexOf(digest)}`);
  return {
    name,
    entries,
    open: (descriptor: Descriptor) => archive.content(descriptor, fileOf(descriptor.digest)),
    async find(digest: Digest) {
      const file = fileOf(digest);
      return file && { mediaType: "application/octet-stream", digest, size: file.size };
    },
  };
}

/** Writes a tar archive of an OCI layout. @throws WRITE_FAILED, CONTENT_MISMATCH, IMAGE_INVALID. */
export function ociArchiveSink(path: string): ImageSink {
  return archiveSink({
    name: `oci-archive:${path}`,
    path,
    parts(manifest, { platform, config, layers }, tags, open) {
      const blobs = [manifest, open(config), ...layers.map(open)].map((content) => ({
        name: `blobs/sha256/${hexOf(content.descriptor.digest)}`,
        content,
      }));
      return onceEach([
        { name: "oci-layout", content: jsonOf(LAYOUT_MARKER) },
        { name: "index.json", content: jsonOf(indexBytes(manifest.descriptor, platform, tags)) },
        ...blobs,
      ]);
    },
  });
}
