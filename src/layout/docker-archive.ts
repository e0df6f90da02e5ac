import { basename } from "node:path";
import { hasCode, LambdaPackError } from "../errors.ts";
import { type Content, contentOf, type Descriptor, readAll } from "../oci/content.ts";
import { createDigester, type Digest, hexOf } from "../oci/digest.ts";
import { parseImageConfig } from "../oci/documents.ts";
import { fieldInAnyCase, items, optional, parseJson, string, strings } from "../oci/json.ts";
import { compressionOf, layerCompression, MEDIA_TYPES } from "../oci/media-types.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { imageSource } from "../oci/resolve.ts";
import type { ImageSink, ImageSource, Named } from "../oci/store.ts";
import { type Archive, type ArchivedFile, openArchive } from "./archive.ts";
import { type ArchivePart, archiveSink, jsonOf, onceEach } from "./archive-sink.ts";
import { asLayout } from "./layout-files.ts";

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
  return imageSource(name, (reference, signal) => findIn(path, name, reference, signal));
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

const TAR = "application/vnd.docker.image.rootfs.diff.tar";
const MEDIA_TYPE_OF = { none: TAR, gzip: `${TAR}.gzip`, zstd: `${TAR}.zstd` } as const;

/**
 * Returns the layers with these names, base first. The digest of an uncompressed layer is its
 * diffID; its bytes are checked when they are read. A compressed layer is read once for its digest,
 * because its name is not reliable (Jib, Bazel and docker differ).
 * @throws LAYOUT_INVALID when a layer is missing.
 */
async function layersOf(
  archive: Archive,
  names: readonly string[],
  diffIds: readonly Digest[],
  signal?: AbortSignal,
): Promise<readonly Content[]> {
  const layers: Content[] = [];
  for (const [index, name] of names.entries()) {
    const file = archive.find(name);
    if (!file) throw new LambdaPackError("LAYOUT_INVALID", `${archive.path} has no layer ${name}`);
    const compression = await compressionOf(archive.read(file, 0, signal));
    const known = compression === "none" ? diffIds[index] : undefined;
    const digest = known ?? (await digestOfFile(archive, file, signal));
    layers.push(archive.content({ mediaType: MEDIA_TYPE_OF[compression], digest, size: file.size }, file));
  }
  return layers;
}

async function digestOfFile(archive: Archive, file: ArchivedFile, signal?: AbortSignal): Promise<Digest> {
  const digester = createDigester();
  for await (const chunk of archive.read(file, 0, signal)) digester.update(chunk);
  return digester.digest();
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

/**
 * Writes an archive for `docker load`, in the format of `docker save` before Docker 25 (moby
 * image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format"). Layers stay gzip, as
 * go-containerregistry writes them; Docker, podman and skopeo accept that. A tag `v1` becomes
 * `<file name>:v1`; a tag with `/` or `:` is used as a complete name.
 * @throws WRITE_FAILED, CONTENT_MISMATCH, IMAGE_INVALID.
 */
export function dockerArchiveSink(path: string): ImageSink {
  return archiveSink({
    name: `docker-archive:${path}`,
    path,
    parts(_manifest, { config, layers }, tags, open) {
      const configPart = { name: `${hexOf(config.digest)}.json`, content: open(config) };
      const layerParts = layers.map((layer) => layerPart(layer, open));
      const image = {
        Config: configPart.name,
        RepoTags: tags.map((tag) => repoTag(path, tag)),
        Layers: layerParts.map(({ name }) => name),
      };
      const listing = { name: "manifest.json", content: jsonOf(JSON.stringify([image])) };
      return onceEach([listing, configPart, ...layerParts]);
    },
  });
}

function layerPart(layer: Descriptor, open: (descriptor: Descriptor) => Content): ArchivePart {
  const ending = layerCompression(layer.mediaType) === "none" ? "tar" : "tar.gz";
  return { name: `${hexOf(layer.digest)}.${ending}`, content: open(layer) };
}

function repoTag(path: string, tag: string): string {
  if (tag.includes(":")) return tag;
  return tag.includes("/") ? `${tag}:latest` : `${repositoryOf(path)}:${tag}`;
}

/**
 * Turns the file's name into a repository name (distribution/reference): lower case, single
 * separators, none at the ends.
 */
function repositoryOf(path: string): string {
  const name = basename(path)
    .replace(/\.tar$/i, "")
    .toLowerCase();
  const parts = name.replace(/[^a-z0-9._-]/g, "-").replace(/[._-]{2,}/g, "-");
  return parts.replace(/^[._-]|[._-]$/g, "") || "image";
}
