import type { Family } from "../../oci/media-types.ts";
import { ARCHITECTURE_OPTION, SESSION_OPTIONS, TAG_OPTION } from "../options/common.ts";
import { firstOf, withoutPin } from "../options/no-effect.ts";
import { adapted, type OptionsOf, off, optional, required, withDefault } from "../options/read.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "../options/types.ts";
import {
  COMPOSITION_OPTIONS,
  CONFIG_OPTIONS,
  DOCKERFILE_OPTIONS,
  HANDLER_OPTION,
  INSTALL_OPTIONS,
  LOCK_FILE_OPTION,
  RULE_OPTIONS,
  SOURCE_OPTIONS,
} from "./option-groups.ts";

export const BUILD_OPTIONS = {
  directory: required(text, "the source directory", { placeholder: "DIR" }),
  base: optional(
    text,
    "python:3.12 (an AWS base), an image reference, oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE or scratch",
    {
      ...{ placeholder: "BASE", variable: "LAMBDA_PACK_BASE", group: "Common" },
      defaultText: "detected from the files, such as package.json",
    },
  ),
  arch: adapted(ARCHITECTURE_OPTION.arch, { group: "Common" }),
  ...HANDLER_OPTION,
  ...INSTALL_OPTIONS,
  bundle: off(
    "bundle the handler's TypeScript or JavaScript with the project's esbuild, and pack only that",
    { group: "Common" },
  ),
  ...DOCKERFILE_OPTIONS,
  to: optional(
    textOrList,
    "where the image goes: an image reference, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE",
    {
      placeholder: "DEST",
      short: "t",
      variable: "LAMBDA_PACK_TO",
      defaultText: "oci:.lambda-pack/<name of the directory>",
      group: "Common",
    },
  ),
  ...TAG_OPTION,
  createRepo: off("create the ECR repository if it is missing", {
    group: "Destination",
    noEffect: ({ values }) => (values["dryRun"] ? "a dry run creates nothing" : undefined),
  }),
  dryRun: off("build and check, but upload nothing", { short: "n", group: "Destination" }),
  ...CONFIG_OPTIONS,
  format: withDefault(choice<"auto" | Family>(["auto", "docker", "oci"]), "auto", "media types", {
    placeholder: "auto|docker|oci",
    defaultText: "auto: those of the base",
    group: "Image",
  }),
  ...SOURCE_OPTIONS,
  ...COMPOSITION_OPTIONS,
  level: withDefault(wholeNumber(1, 9), 4, "compression level, 1 fastest to 9 smallest", {
    placeholder: "1..9",
    defaultText: "4",
    group: "Files",
  }),
  reuseFrom: optional(text, "reuse unchanged layers from this image", {
    placeholder: "IMAGE",
    defaultText: "the destination's image of the same tag, else its newest",
    group: "Files",
  }),
  check: withDefault(toggle, true, "skip the checks", { group: "Checks" }),
  ...RULE_OPTIONS,
  lock: off("record the base's digest in lambda-pack.lock; later builds use it", {
    group: "Base lock",
    noEffect: firstOf(withoutPin, ({ values }) =>
      values["updateBase"] ? "updateBase records it too" : undefined,
    ),
  }),
  ...LOCK_FILE_OPTION,
  updateBase: off("update the lock to the tag's current digest", {
    group: "Base lock",
    noEffect: withoutPin,
  }),
  locked: off("fail if the tag no longer matches the lock", { group: "Base lock", noEffect: withoutPin }),
  ...SESSION_OPTIONS,
};

export type BuildOptions = OptionsOf<typeof BUILD_OPTIONS>;

/** Picks the options of a build from those of a command that includes a build. */
export function pickBuildOptions<T extends object>(options: T): Pick<T, keyof T & keyof BuildOptions> {
  const picked = Object.entries(options).filter(([name]) => Object.hasOwn(BUILD_OPTIONS, name));
  // The filter keeps exactly the names of build options.
  return Object.fromEntries(picked) as Pick<T, keyof T & keyof BuildOptions>;
}
