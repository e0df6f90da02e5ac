import type { ConfigChange } from "../../oci/config-changes.ts";
import type { Digest } from "../../oci/digest.ts";
import { type Architecture, type Platform, platformOf } from "../../oci/platform.ts";
import type { FileChanges } from "../../rootfs/compare-images.ts";
import type { LayerDifference } from "../../rootfs/compare-layers.ts";
import { type ImageLocation, parseSource } from "../../session/image-location.ts";
import type { SessionPlan } from "../../session/plan.ts";
import { refusePath } from "../inspect/refuse-path.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  readSessionOptions,
  SESSION_OPTIONS,
  type SessionOptions,
} from "../options/common.ts";
import { type OptionTable, off, required, withDefault } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

export interface DiffOptions extends SessionOptions {
  /** The image of before, as {@link InspectOptions.source}. */
  readonly before: string;
  readonly after: string;
  /** Which child of an index. Default: its only one, else x86_64. */
  readonly arch?: Architecture;
  /** false: only config and layers are compared, and no layer is read. Default true. */
  readonly files?: boolean;
  /** true: say of each layer that is another one than before, why. Default false. */
  readonly why?: boolean;
}

interface DiffPlan {
  readonly session: SessionPlan;
  readonly before: ImageLocation;
  readonly after: ImageLocation;
  readonly platform: Platform | undefined;
  /** Whether files are compared, too. */
  readonly files: boolean;
  /** Whether layers that differ are read to say why. */
  readonly why: boolean;
}

export const DIFF_OPTIONS = {
  before: required<string>(text, IMAGE_SUMMARY),
  after: required<string>(text, "the image to compare with"),
  ...ARCHITECTURE_OPTION,
  files: withDefault(toggle, true, "compare only config and layers; download no layer"),
  why: off("explain for each layer that differs which entries changed it"),
  ...SESSION_OPTIONS,
} satisfies OptionTable & Record<keyof DiffOptions, unknown>;

/** @throws USAGE, REFERENCE_INVALID. */
export function parseDiffOptions(options: DiffOptions): DiffPlan {
  const { values, session } = readSessionOptions("diff", DIFF_OPTIONS, options);
  const { arch: architecture, files, why } = values;
  const locationOf = (source: string): ImageLocation => {
    refusePath(source);
    return parseSource(source, session.environment);
  };
  return {
    session,
    before: locationOf(values.before),
    after: locationOf(values.after),
    platform: architecture && platformOf(architecture),
    ...{ files, why },
  };
}

export interface ComparedImage {
  /** As its source names it. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly platform: string;
  /** Of all that a registry stores for it. */
  readonly size: number;
}

/**
 * A layer of one of the images, by what it is to the other. `index` is its place in its own image,
 * 0 is the lowest.
 */
export interface ComparedLayer {
  readonly index: number;
  readonly digest: Digest;
  readonly size: number;
  readonly createdBy?: string;
}

export type LayerChange =
  /** Both images have this blob: nothing is sent for it. */
  | { readonly change: "kept"; readonly after: ComparedLayer }
  /** The same tar in other bytes: compressed by another encoder, or at another level. */
  | { readonly change: "recompressed"; readonly before: ComparedLayer; readonly after: ComparedLayer }
  /** `why`: where it was asked for. */
  | {
      readonly change: "changed";
      readonly before: ComparedLayer;
      readonly after: ComparedLayer;
      readonly why?: LayerDifference;
    }
  | { readonly change: "added"; readonly after: ComparedLayer }
  | { readonly change: "removed"; readonly before: ComparedLayer };

/** What became of an image. */
export interface Difference {
  readonly before: ComparedImage;
  readonly after: ComparedImage;
  /** One digest: nothing differs at all. */
  readonly same: boolean;
  readonly config: readonly ConfigChange[];
  /** Those of the image of after, base first, then what is there no more. */
  readonly layers: readonly LayerChange[];
  /** Not there with `files: false`. */
  readonly files?: FileChanges;
  /** Set where the images name different bases. */
  readonly base?: { readonly before: string; readonly after: string };
}
