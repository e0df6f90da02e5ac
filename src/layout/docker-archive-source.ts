import { asLayout } from "../blobs/read-document.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import { type Content, contentOf, type Descriptor, readAll } from "../oci/content.ts";
import { parseImageConfig } from "../oci/documents.ts";
import { fieldInAnyCase, items, optional, parseJson, string, strings } from "../oci/json.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { resolveImage } from "../oci/resolve.ts";
import type { ImageSource, Named } from "../oci/store.ts";
import { type Archive, openArchive } from "./archive.ts";
import { layersOf } from "./docker-archive-layers.ts";

/** One image of `manifest.json`. */
interface SavedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

/**
 * Reads archives of `docker save`, in the old and the new format, and those that podman, skopeo,
 * go-containerregistry, Jib and Bazel write in its format. The archive has no manifest, so the
 * source generates one of Docker's family, with the layers as they are stored, tar or gzip.
 * @throws IMAGE_NOT_FOUND, LAYOUT_INVALID, CONTENT_MISMATCH, and as `resolveImage`.
 */
export function dockerArchiveSource(path: string): ImageSource {
  const name = `docker-archive:${path}`;
  return {
    name,
    async pull(reference, platform, signal) {
      const { top, open } = await findIn(path, name, reference, signal);
      return resolveImage(top, open, platform, signal);
    },
    find: (reference, signal) => findIn(path, name, reference, signal),
  };
}

async function findIn(
  path: string,
  name: string,
  reference: string | undefined,
  signal?: AbortSignal,
): Promise<Named> {
  const archive = await openArchive(path, signal);
  const saved = chooseImage(name, await listImages(archive), reference);
  const config = contentOf(MEDIA_TYPES.docker.config, await archive.document(saved.config));
  const { diff_ids: diffIds } = parseImageConfig(await readAll(config)).rootfs;
  const layers = await layersOf(archive, saved.layers, diffIds, signal);
  const contents = new Map([config, ...layers].map((content) => [content.descriptor.digest, content]));
  const open = (descriptor: Descriptor): Content =>
    contents.get(descriptor.digest) ?? archive.content(descriptor, undefined);
  return { top: manifestOf(config, layers), open, written: false };
}

const MAX_IMAGES = 1000;

async function listImages(archive: Archive): Promise<readonly SavedImage[]> {
  const bytes = await archive.document("manifest.json");
  return asLayout(archive.path, () =>
    items(parseJson(bytes, "manifest.json"), MAX_IMAGES).map((image) => ({
      config: string(fieldInAnyCase(image, "Config")),
      tags: optional(fieldInAnyCase(image, "RepoTags"), strings) ?? [],
      layers: optional(fieldInAnyCase(image, "Layers"), strings) ?? [],
    })),
  );
}

function chooseImage(name: string, images: readonly SavedImage[], reference: string | undefined): SavedImage {
  const isWanted = ({ tags }: SavedImage) =>
    reference === undefined || tags.some((tag) => isNamed(tag, reference));
  const [first, ...others] = images.filter(isWanted);
  if (first && others.length === 0) return first;
  const held = images.flatMap(({ tags }) => tags).join(", ") || `${images.length} images without a name`;
  const what = first ? "several images" : `no image ${reference ?? ""}`.trimEnd();
  throw new LambdaPackError("IMAGE_NOT_FOUND", `${name} has ${what}; it holds ${held}`, {
    hint: "save the image alone: docker save NAME:TAG -o FILE",
  });
}

/**
 * Returns whether `reference` is the tag alone, or the name in any form that Docker accepts: skopeo
 * adds `docker.io/`.
 */
function isNamed(tag: string, reference: string): boolean {
  return tag.endsWith(`:${reference}`) || normalForm(tag) === normalForm(reference);
}

function normalForm(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch (error) {
    if (hasCode(error, "REFERENCE_INVALID")) return name;
    throw error;
  }
}

function manifestOf(config: Content, layers: readonly Content[]): Content {
  const { manifest } = MEDIA_TYPES.docker;
  const document = {
    schemaVersion: 2,
    mediaType: manifest,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return contentOf(manifest, Buffer.from(JSON.stringify(document)));
}
