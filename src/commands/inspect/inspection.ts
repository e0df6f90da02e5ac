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
   * A registry reference, `python:3.12` and its like, `oci:DIR[:tag]`, `oci-archive:FILE` or
   * `docker-archive:FILE`.
   */
  readonly source: string;
  /** Which child of an index. Default: its only one, else x86_64. */
  readonly arch?: Architecture;
  /** false: the layers are not read, nor fetched. Default true. */
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

/** @throws USAGE, REFERENCE_INVALID. */
export function parseInspectOptions(options: InspectOptions): InspectPlan {
  const { values, session } = readSessionOptions("inspect", INSPECT_OPTIONS, options);
  const { source, arch: architecture, files } = values;
  refusePath(source);
  const platform = architecture && platformOf(architecture);
  return { session, source: parseSource(source, session.environment), platform, files };
}

/** What an image is. Sizes in bytes. */
export interface Inspection {
  /** As its source names it. */
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly created?: string;
  /** Of all that a registry stores for it. */
  readonly size: number;
  readonly config: InspectedConfig;
  /** Base first. */
  readonly layers: readonly InspectedLayer[];
  /** Not there with `files: false`. */
  readonly contents?: InspectedContents;
}

/** What Lambda starts, in the words of Lambda's console and of Dockerfiles. */
export interface InspectedConfig {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** `K=V`, in their order. */
  readonly env: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface InspectedLayer {
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** As a registry stores it. */
  readonly size: number;
  /** What history says of it. */
  readonly createdBy?: string;
  /** Known where lambda-pack built the image. */
  readonly part?: "base" | "app";
  readonly contents?: LayerContents;
}

export interface InspectedContents {
  /** Of all layers, uncompressed. */
  readonly bytes: number;
  /** What Lambda takes at most of them. */
  readonly limit: number;
  readonly seen: Hidden;
  /** The largest first, at most 20,000; the rest is summed up in `omitted`. */
  readonly files: readonly ImageFile[];
  readonly omitted: Hidden;
  readonly waste: {
    /** Replaced or removed by higher layers. The largest first, at most 1000. */
    readonly hidden: readonly HiddenFile[];
    /** All of them. */
    readonly hiddenTotal: Hidden;
    /** The same content in several places, the costliest first; at most 1000. */
    readonly twins: readonly Duplicates[];
    /** All copies but the first of each. */
    readonly twinsTotal: Hidden;
    readonly caches: readonly Cache[];
  };
}
