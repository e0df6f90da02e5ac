import type { ConfigChange } from "../../oci/config-changes.ts";
import type { Digest } from "../../oci/digest.ts";
import { platformOf } from "../../oci/platform.ts";
import type { FileChanges } from "../../rootfs/compare-images.ts";
import type { LayerDifference } from "../../rootfs/compare-layers.ts";
import { buildFirst, parseImageSource } from "../../session/source-path.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  readSessionOptions,
  SESSION_OPTIONS,
} from "../options/common.ts";
import { type OptionsOf, off, required, withDefault } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

export const DIFF_OPTIONS = {
  before: required(text, IMAGE_SUMMARY),
  after: required(text, "the image to compare with"),
  ...ARCHITECTURE_OPTION,
  files: withDefault(toggle, true, "compare only config and layers; download no layer"),
  why: off("explain for each layer that differs which entries changed it"),
  ...SESSION_OPTIONS,
};

export type DiffOptions = OptionsOf<typeof DIFF_OPTIONS>;

/** Parses the options. @throws USAGE, REFERENCE_INVALID */
export function parseDiffOptions(options: DiffOptions) {
  const { values, session } = readSessionOptions("diff", DIFF_OPTIONS, options);
  const { arch: architecture, files, why } = values;
  const locationOf = (source: string) => parseImageSource(source, session.environment, buildFirst);
  return {
    session,
    before: locationOf(values.before),
    after: locationOf(values.after),
    platform: architecture && platformOf(architecture),
    files,
    why,
  };
}

export interface ComparedImage {
  /** The reference of the image's source. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly platform: string;
  /** Size in bytes of everything that a registry stores for the image. */
  readonly size: number;
}

/** A layer of one of the two images. `index` is its position in that image; 0 is the lowest. */
export interface ComparedLayer {
  readonly index: number;
  readonly digest: Digest;
  readonly size: number;
  readonly createdBy?: string;
}

export type LayerChange =
  /** Both images have this blob, so it is not sent. */
  | { readonly change: "kept"; readonly after: ComparedLayer }
  /** The same tar, compressed by another encoder or at another level. */
  | { readonly change: "recompressed"; readonly before: ComparedLayer; readonly after: ComparedLayer }
  /** `why` is set on request. */
  | {
      readonly change: "changed";
      readonly before: ComparedLayer;
      readonly after: ComparedLayer;
      readonly why?: LayerDifference;
    }
  | { readonly change: "added"; readonly after: ComparedLayer }
  | { readonly change: "removed"; readonly before: ComparedLayer };

/** The result of a comparison. */
export interface Difference {
  readonly before: ComparedImage;
  readonly after: ComparedImage;
  /** true: both have the same digest, so nothing differs. */
  readonly same: boolean;
  readonly config: readonly ConfigChange[];
  /** The layers of the later image, base first, then the removed ones. */
  readonly layers: readonly LayerChange[];
  /** Absent with `files: false`. */
  readonly files?: FileChanges;
  /** Set if the images name different bases. */
  readonly base?: { readonly before: string; readonly after: string };
}
