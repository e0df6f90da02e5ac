import type { Digest } from "../../oci/digest.ts";
import { platformOf } from "../../oci/platform.ts";
import type { InspectedContents, LayerContents } from "../../rootfs/usage.ts";
import { buildFirst, parseImageSource } from "../../session/source-path.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  readSessionOptions,
  SESSION_OPTIONS,
} from "../options/common.ts";
import { type OptionsOf, required, withDefault } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

export const INSPECT_OPTIONS = {
  source: required(text, IMAGE_SUMMARY),
  ...ARCHITECTURE_OPTION,
  files: withDefault(toggle, true, "show only manifest and config; download no layer"),
  ...SESSION_OPTIONS,
};

export type InspectOptions = OptionsOf<typeof INSPECT_OPTIONS>;

/** Parses the options. @throws USAGE, REFERENCE_INVALID */
export function parseInspectOptions(options: InspectOptions) {
  const { values, session } = readSessionOptions("inspect", INSPECT_OPTIONS, options);
  const { source, arch: architecture, files } = values;
  const platform = architecture && platformOf(architecture);
  return { session, source: parseImageSource(source, session.environment, buildFirst), platform, files };
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
