import type { Digest } from "../../oci/digest.ts";
import { type Architecture, type Platform, platformOf } from "../../oci/platform.ts";
import type { Cache } from "../../rootfs/caches.ts";
import type { Duplicates } from "../../rootfs/duplicates.ts";
import type { HiddenFile, ImageFile, LayerContents } from "../../rootfs/usage.ts";
import type { Hidden } from "../../rootfs/view/hidden-files.ts";
import { type ImageLocation, parseSource } from "../../session/image-location.ts";
import type { SessionPlan } from "../../session/plan.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  readSessionOptions,
  SESSION_OPTIONS,
  type SessionOptions,
} from "../options/common.ts";
import { type OptionTable, required, withDefault } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";
import { refusePath } from "./refuse-path.ts";

export interface InspectOptions extends SessionOptions {
  /**
   * A registry reference, an AWS base such as `python:3.12`, `oci:DIR[:tag]`, `oci-archive:FILE` or
   * `docker-archive:FILE`.
   */
  readonly source: string;
  /** The image of an index to inspect. Default: the only one, else x86_64. */
  readonly arch?: Architecture;
  /** false: layers are neither downloaded nor read. Default true. */
  readonly files?: boolean;
}

interface InspectPlan {
  readonly session: SessionPlan;
  readonly source: ImageLocation;
  readonly platform: Platform | undefined;
  /** Whether the layers are read. */
  readonly files: boolean;
}

export const INSPECT_OPTIONS = {
  source: required<string>(text, IMAGE_SUMMARY),
  ...ARCHITECTURE_OPTION,
  files: withDefault(toggle, true, "show only manifest and config; download no layer"),
  ...SESSION_OPTIONS,
} satisfies OptionTable & Record<keyof InspectOptions, unknown>;

/** Parses the options. @throws USAGE, REFERENCE_INVALID */
export function parseInspectOptions(options: InspectOptions): InspectPlan {
  const { values, session } = readSessionOptions("inspect", INSPECT_OPTIONS, options);
  const { source, arch: architecture, files } = values;
  refusePath(source);
  const platform = architecture && platformOf(architecture);
  return { session, source: parseSource(source, session.environment), platform, files };
}

/** The description of an image. Sizes are in bytes. */
export interface Inspection {
  /** The reference of the image's source. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly created?: string;
  /** Size of everything that a registry stores for the image. */
  readonly size: number;
  readonly config: InspectedConfig;
  /** Base first. */
  readonly layers: readonly InspectedLayer[];
  /** Absent with `files: false`. */
  readonly contents?: InspectedContents;
}

/** The config that Lambda uses, named as in Lambda's console and Dockerfiles. */
export interface InspectedConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `K=V`, in the order of the config. */
  readonly env: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface InspectedLayer {
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** The size that a registry stores. */
  readonly size: number;
  /** The command in the history. */
  readonly createdBy?: string;
  /** Known if lambda-pack built the image. */
  readonly part?: "base" | "app";
  readonly contents?: LayerContents;
}

export interface InspectedContents {
  /** The uncompressed size of all layers. */
  readonly bytes: number;
  /** Lambda's limit for that size. */
  readonly limit: number;
  readonly seen: Hidden;
  /** The largest first, at most 20,000; `omitted` counts the rest. */
  readonly files: readonly ImageFile[];
  readonly omitted: Hidden;
  readonly waste: {
    /** Files that higher layers replace or remove. The largest first, at most 1000. */
    readonly hidden: readonly HiddenFile[];
    /** The total of all hidden files. */
    readonly hiddenTotal: Hidden;
    /** Files with the same content, the most wasteful first; at most 1000. */
    readonly twins: readonly Duplicates[];
    /** The total of all copies except the first of each. */
    readonly twinsTotal: Hidden;
    readonly caches: readonly Cache[];
  };
}
