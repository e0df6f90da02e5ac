import { basename } from "node:path";
import type { Content, Descriptor } from "../oci/content.ts";
import { hexOf } from "../oci/digest.ts";
import { layerCompression } from "../oci/media-types.ts";
import type { ImageSink } from "../oci/store.ts";
import { type ArchivePart, archiveSink, jsonOf, onceEach } from "./archive-sink.ts";

export { dockerArchiveSource } from "./docker-archive-source.ts";

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
