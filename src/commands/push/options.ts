import { type Platform, platformOf } from "../../oci/platform.ts";
import {
  type ImageLocation,
  parseTargets,
  refuseRegistries,
  type Target,
} from "../../session/image-location.ts";
import type { SessionPlan } from "../../session/session.ts";
import { parseImageSource } from "../../session/source-path.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  readSessionOptions,
  SESSION_OPTIONS,
  TAG_OPTION,
} from "../options/common.ts";
import { type OptionsOf, off, required } from "../options/read.ts";
import { text, textOrList } from "../options/types.ts";

export interface PushPlan {
  readonly session: SessionPlan;
  readonly source: ImageLocation;
  readonly platform: Platform | undefined;
  readonly destinations: readonly Target[];
  readonly forLambda: boolean;
}

export const PUSH_OPTIONS = {
  source: required(text, IMAGE_SUMMARY),
  to: required(textOrList, "an image reference, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE"),
  ...TAG_OPTION,
  ...ARCHITECTURE_OPTION,
  forLambda: off("change what Lambda would refuse: zstd layers, missing directories, foreign media types", {
    group: "Image",
  }),
  ...SESSION_OPTIONS,
};

export type PushOptions = OptionsOf<typeof PUSH_OPTIONS>;

/** Parses the options. @throws USAGE, REFERENCE_INVALID */
export function parsePushOptions(options: PushOptions): PushPlan {
  const { values, session } = readSessionOptions("push", PUSH_OPTIONS, options);
  const { source, to, tag: tags, arch: architecture, offline } = values;
  const destinations = parseTargets(to, tags);
  if (offline) refuseRegistries(destinations);
  const flags = [...[to].flat().map((one) => `--to ${one}`), ...tags.map((tag) => `--tag ${tag}`)];
  const buildCommand = (directory: string) => `write lambda-pack build ${[directory, ...flags].join(" ")}`;
  return {
    session,
    source: parseImageSource(source, session.environment, buildCommand),
    platform: architecture && platformOf(architecture),
    destinations,
    forLambda: values.forLambda,
  };
}
