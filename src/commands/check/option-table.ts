import { COMPOSITION_OPTIONS } from "../build/composition/options.ts";
import {
  CONFIG_OPTIONS,
  DOCKERFILE_OPTIONS,
  HANDLER_OPTION,
  INSTALL_OPTIONS,
  LOCK_FILE_OPTION,
  RULE_OPTIONS,
  SOURCE_OPTIONS,
} from "../build/option-groups.ts";
import { BUILD_OPTIONS, type BuildOptions } from "../build/options.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  SESSION_OPTIONS,
  type SessionOptions,
} from "../options/common.ts";
import { forDirectories } from "../options/no-effect.ts";
import { type OptionTable, optional, required } from "../options/read.ts";
import { text, toggle } from "../options/types.ts";

/** The options of a build about where the image goes, and how it gets there. */
type DestinationOption =
  | ("to" | "tag" | "createRepo" | "dryRun" | "level" | "reuseFrom")
  | ("lock" | "updateBase" | "locked");

/** Options for an image, or for a directory as {@link BuildOptions} would build it. */
export interface CheckOptions
  extends SessionOptions,
    Partial<Omit<BuildOptions, "directory" | "check" | DestinationOption | keyof SessionOptions>> {
  /**
   * An image (a registry reference, `oci:DIR[:tag]`, `oci-archive:FILE`, `docker-archive:FILE`), or
   * a directory.
   */
  readonly source: string;
  /**
   * Whether to look up if the base's tag still names the image on which this one was built.
   * Default: for an image in a registry whose base is AWS's or in the same registry. true: also in
   * any other registry that the image's label names, without credentials, and only at public
   * addresses if the image's own registry has one. Never with `offline`.
   */
  readonly askBase?: boolean;
}

const { bundle, format } = BUILD_OPTIONS;

export const CHECK_OPTIONS = {
  source: required<string>(text, `a directory, ${IMAGE_SUMMARY}`),
  ...forDirectories({
    base: optional<string>(text, "for a directory: the base image that it would be built on", {
      defaultText: "detected from the files, such as package.json",
      ...{ placeholder: "BASE", variable: "LAMBDA_PACK_BASE", group: "Common" },
    }),
    ...DOCKERFILE_OPTIONS,
  }),
  ...ARCHITECTURE_OPTION,
  ...forDirectories(HANDLER_OPTION),
  ...RULE_OPTIONS,
  askBase: optional<boolean>(toggle, "ask whether the base's tag still names the image it was built on", {
    group: "Checks",
    defaultText: "for AWS's bases and the image's own registry",
    noEffect: ({ values }) => (values["offline"] ? "offline, no registry is asked" : undefined),
  }),
  ...forDirectories({
    ...{ ...CONFIG_OPTIONS, ...SOURCE_OPTIONS, ...COMPOSITION_OPTIONS },
    ...{ ...INSTALL_OPTIONS, bundle, format, ...LOCK_FILE_OPTION },
  }),
  ...SESSION_OPTIONS,
} satisfies OptionTable & Record<keyof CheckOptions, unknown>;
