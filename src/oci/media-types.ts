/** The two families of image-spec media-types.md; one image never mixes them. */
export type Family = "docker" | "oci";

interface FamilyTypes {
  readonly index: string;
  readonly manifest: string;
  readonly config: string;
  readonly layer: string;
}

export const MEDIA_TYPES: Readonly<Record<Family, FamilyTypes>> = {
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  },
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  },
};

const FAMILIES = ["docker", "oci"] as const;

/** The `Accept` types of a manifest request: registries return only the types that it lists. */
export const MANIFEST_TYPES: readonly string[] = FAMILIES.flatMap((family) => [
  MEDIA_TYPES[family].index,
  MEDIA_TYPES[family].manifest,
]);

export function isIndexType(mediaType: string): boolean {
  return FAMILIES.some((family) => MEDIA_TYPES[family].index === mediaType);
}

export function isManifestType(mediaType: string): boolean {
  return FAMILIES.some((family) => MEDIA_TYPES[family].manifest === mediaType);
}

/** Returns the family of a media type, also of uncompressed and foreign layers. */
export function familyOf(mediaType: string): Family | undefined {
  if (mediaType.startsWith("application/vnd.docker.")) return "docker";
  if (mediaType.startsWith("application/vnd.oci.image.")) return "oci";
  return undefined;
}

type LayerCompression = "gzip" | "none" | "zstd" | "foreign" | "unknown";

const LAYER_TYPES: Readonly<Record<string, LayerCompression>> = {
  [MEDIA_TYPES.docker.layer]: "gzip",
  [MEDIA_TYPES.oci.layer]: "gzip",
  "application/vnd.docker.image.rootfs.diff.tar": "none",
  "application/vnd.oci.image.layer.v1.tar": "none",
  "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
  "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
  "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "foreign",
  "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "foreign",
};

export function layerCompression(mediaType: string): LayerCompression {
  return LAYER_TYPES[mediaType] ?? "unknown";
}

export type Compression = "gzip" | "zstd" | "none";

/** Detects gzip (RFC 1952) and zstd (RFC 8878) by the first four bytes. */
export function detectCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd ? "zstd" : "none";
}

/** Detects the compression of bytes, of which it reads only the first. */
export async function compressionOf(bytes: AsyncIterable<Uint8Array>): Promise<Compression> {
  let start = Buffer.alloc(0);
  for await (const chunk of bytes) {
    start = Buffer.concat([start, chunk.subarray(0, 4)]);
    if (start.length >= 4) break;
  }
  return detectCompression(start);
}
