import type { Content, Descriptor } from "./content.ts";
import type { Digest } from "./digest.ts";
import type { Family } from "./media-types.ts";

/** image-spec manifest.md. */
export interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** image-spec config.md, the "config" object. Unknown fields are kept as they are. */
export interface RunSettings {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly [unknown: string]: unknown;
}

/** image-spec config.md, "history". */
export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
  readonly [unknown: string]: unknown;
}

/** image-spec config.md. Fields that this project does not know are kept as they are. */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly created?: string;
  readonly config?: RunSettings;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
  readonly [unknown: string]: unknown;
}

/** A layer: its compressed bytes, and the digest of the uncompressed ones. */
export interface Layer extends Content {
  /** Digest of the uncompressed tar: the entry of `rootfs.diff_ids`. */
  readonly diffId: Digest;
}

/** An image for one platform, as a plain value. `settings` is the parsed form of `config`. */
export interface Image {
  readonly family: Family;
  readonly manifest: Content;
  readonly config: Content;
  /** Base first; as many as `settings.rootfs.diff_ids`, in the same order. */
  readonly layers: readonly Layer[];
  readonly settings: ImageConfig;
}

/** Returns the number of bytes that a registry stores for the image. */
export function sizeOf({ manifest, config, layers }: Image): number {
  return [manifest, config, ...layers].reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}
