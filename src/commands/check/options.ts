import {
  COMPOSITION_OPTIONS,
  CONFIG_OPTIONS,
  DOCKERFILE_OPTIONS,
  HANDLER_OPTION,
  INSTALL_OPTIONS,
  LOCK_FILE_OPTION,
  RULE_OPTIONS,
  SOURCE_OPTIONS,
} from "../build/option-groups.ts";
import { BUILD_OPTIONS } from "../build/options.ts";
import { ARCHITECTURE_OPTION, IMAGE_SUMMARY, SESSION_OPTIONS } from "../options/common.ts";
import { forDirectories } from "../options/no-effect.ts";
import { adapted, type OptionsOf, optional, required } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

const { bundle, format } = BUILD_OPTIONS;

export const CHECK_OPTIONS = {
  source: required(text, `a directory, ${IMAGE_SUMMARY}`),
  ...forDirectories({
    base: adapted(BUILD_OPTIONS.base, {
      summary: "for a directory: the base image that it would be built on",
    }),
    ...DOCKERFILE_OPTIONS,
  }),
  ...ARCHITECTURE_OPTION,
  ...forDirectories(HANDLER_OPTION),
  ...RULE_OPTIONS,
  askBase: optional(toggle, "ask whether the base's tag still names the image it was built on", {
    group: "Checks",
    defaultText: "for AWS's bases and the image's own registry",
    details:
      "`true` also asks any other registry that the image's label names, without credentials, and only at public addresses if the image's own registry has one",
    noEffect: ({ values }) => (values["offline"] ? "offline, no registry is asked" : undefined),
  }),
  ...forDirectories({
    ...{ ...CONFIG_OPTIONS, ...SOURCE_OPTIONS, ...COMPOSITION_OPTIONS },
    ...{ ...INSTALL_OPTIONS, bundle, format, ...LOCK_FILE_OPTION },
  }),
  ...SESSION_OPTIONS,
};

/** Options for an image, or for a directory as build would build it. */
export type CheckOptions = OptionsOf<typeof CHECK_OPTIONS>;
