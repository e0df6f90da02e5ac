import { type Content, contentOf } from "../../../src/oci/content.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { seededImage } from "./image.ts";

/** What a registry holds under `app:v1`: the first document is what the tag names. */
export interface Held {
  readonly documents: readonly Content[];
  readonly blobs: readonly Content[];
}

export const { oci, docker } = MEDIA_TYPES;
export const SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
export const good = seededImage("documents", 3000);
export const [layer = good.config] = good.layers;
export const blobs = [good.config, ...good.layers];
export const settings = {
  architecture: "amd64",
  os: "linux",
  rootfs: { type: "layers", diff_ids: [layer.descriptor.digest] },
};

export type Json = Readonly<Record<string, unknown>>;

export function json(mediaType: string, value: unknown): Content {
  return contentOf(mediaType, Buffer.from(JSON.stringify(value)));
}

/** A manifest over the good image's blobs, with `changes`. */
export function manifest(changes: Json = {}, type: string = oci.manifest): Content {
  return json(type, { ...honest(type), ...changes });
}

export function index(manifests: readonly unknown[], type: string = oci.index): Content {
  return json(type, { schemaVersion: 2, mediaType: type, manifests });
}

/** As an index names a document. */
export function entry({ descriptor }: Content, architecture = "amd64", os = "linux"): Json {
  return { ...descriptor, platform: { architecture, os } };
}

/** An image whose config is `config`. */
export function configured(config: Content): Held {
  return { documents: [manifest({ config: config.descriptor })], blobs: [...blobs, config] };
}

/** A manifest of these very bytes. */
export function bytes(text: string | Uint8Array): Held {
  return { documents: [contentOf(oci.manifest, Buffer.from(text))], blobs };
}

export function withLayer(mediaType: string, more: Json = {}): Held {
  return { documents: [manifest({ layers: [{ ...layer.descriptor, mediaType, ...more }] })], blobs };
}

export const held = (...documents: readonly Content[]): Held => ({ documents, blobs });
export const whole = JSON.stringify(honest(oci.manifest));

export function honest(mediaType: string): Json {
  const layers = good.layers.map(({ descriptor }) => descriptor);
  return { schemaVersion: 2, mediaType, config: good.config.descriptor, layers };
}

export function nested(depth: number): Held {
  const documents = [manifest()];
  for (let at = 0; at < depth; at++) documents.unshift(index([entry(documents[0] ?? good.manifest)]));
  return { documents, blobs };
}
