import { LambdaPackError } from "../../errors.ts";
import { type Content, readAll } from "../../oci/content.ts";
import { type IndexEntry, parseDocument } from "../../oci/documents.ts";
import type { Manifest } from "../../oci/image.ts";
import { layerCompression, MEDIA_TYPES } from "../../oci/media-types.ts";
import type { Session } from "../../session/session.ts";

/**
 * Returns the manifest of a Docker archive as a push would write it: Docker and lambda-pack
 * compress the plain tars in the archive.
 */
export function asPushed(manifest: Manifest): Manifest {
  return {
    ...manifest,
    layers: manifest.layers.map((layer) =>
      layerCompression(layer.mediaType) === "none"
        ? { ...layer, mediaType: MEDIA_TYPES.docker.layer }
        : layer,
    ),
  };
}

/**
 * Returns the index in the archive; undefined if it has one image or no OCI layout. `docker save`
 * since Docker 25 also writes an OCI layout of what `docker push` would send: with the containerd
 * image store, that is an index with the attestations of the build.
 */
export async function indexOfArchive(
  path: string,
  session: Session,
): Promise<readonly IndexEntry[] | undefined> {
  let top: Content;
  try {
    ({ top } = await session.source({ kind: "oci-archive", path }).find(undefined, session.signal));
  } catch (error) {
    if (error instanceof LambdaPackError && error.code !== "ABORTED") return undefined;
    throw error;
  }
  const document = parseDocument(await readAll(top, session.signal), top.descriptor.mediaType);
  return document.kind === "index" ? document.entries : undefined;
}
