import type { InstallHow } from "../../dependencies/detect.ts";
import type { Family } from "../../oci/media-types.ts";
import type { Architecture } from "../../oci/platform.ts";
import { ARCHITECTURE_OPTION, type CommonOptions, SESSION_OPTIONS, TAG_OPTION } from "../options/common.ts";
import { firstOf, withoutPin } from "../options/no-effect.ts";
import { type OptionTable, off, optional, required, withDefault } from "../options/read.ts";
import type { LayerRule } from "../options/records.ts";
import { choice, text, textOrList, toggle, wholeNumber } from "../options/types.ts";
import { COMPOSITION_OPTIONS, type CompositionOptions } from "./composition/options.ts";
import {
  CONFIG_OPTIONS,
  DOCKERFILE_OPTIONS,
  HANDLER_OPTION,
  INSTALL_OPTIONS,
  LOCK_FILE_OPTION,
  RULE_OPTIONS,
  SOURCE_OPTIONS,
} from "./option-groups.ts";

export interface BuildOptions extends CommonOptions, CompositionOptions {
  /** The source directory. */
  readonly directory: string;
  /**
   * `python:3.12` ..., an image reference, `oci:DIR[:tag]`, `oci-archive:FILE`,
   * `docker-archive:FILE` or `scratch`. Default: the base in the Dockerfile, else detected from the
   * files of the directory.
   */
  readonly base?: string;
  /** A Dockerfile that needs no shell (docs/dockerfile.md); `directory` is its build context. */
  readonly file?: string;
  /** The stage of the Dockerfile that becomes the image. Default: the last one. */
  readonly stage?: string;
  /** Values of ARG in the Dockerfile. */
  readonly buildArg?: Readonly<Record<string, string>>;
  /** Default: the base's if it has only one, else x86_64. */
  readonly arch?: Architecture;
  /** The handler, which becomes CMD: `app.handler`. Default: found by the usual names. */
  readonly handler?: string;
  /** Destinations. Default: `oci:.lambda-pack/<name of the directory>`. */
  readonly to?: string | readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Files of variables (`NAME=value`); a later file wins over an earlier one, and `env` over all.
   */
  readonly envFile?: string | readonly string[];
  readonly label?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly workdir?: string;
  /** The directory in the image for the files. Default: the base's WORKDIR, else /var/task. */
  readonly target?: string;
  /**
   * Layers with custom names, in order. The first rule that matches takes the file; files that
   * match none are split as without rules.
   */
  readonly layer?: readonly LayerRule[];
  /** Patterns in .dockerignore syntax, after those of the ignore file. */
  readonly exclude?: string | readonly string[];
  /** Default: `.lambdaignore` of the source directory, else its `.dockerignore`. */
  readonly ignoreFile?: string;
  /** Files that the caller writes, such as a report of this build; they are never packed. */
  readonly ownFiles?: readonly string[];
  /**
   * true: leaves out packages in node_modules that npm marks as needed for development only.
   * Default false.
   */
  readonly omitDev?: boolean;
  /** Files of the source directory that look like secrets and are packed nevertheless. */
  readonly allowSecret?: string | readonly string[];
  /** Media types of the image. Default `auto`: those of the base. */
  readonly format?: "auto" | Family;
  /**
   * How the dependencies in the directory's lock file are installed for the target, into separate
   * layers: `auto` or true by the lock file that exists, a way by its name (docs/dependencies.md),
   * `none` or false not at all. Default `none`.
   */
  readonly install?: InstallHow | boolean;
  /** Extras of the project to install too. */
  readonly extra?: string | readonly string[];
  /** Dependency groups to install too. */
  readonly group?: string | readonly string[];
  /**
   * true: the project's esbuild bundles the handler's TypeScript or JavaScript, and only the bundle
   * and packages with native code are packed (docs/dependencies.md). Default false.
   */
  readonly bundle?: boolean;
  /** Deflate level, 1 to 9. Default 4. */
  readonly level?: number;
  /**
   * The image whose identical layers are reused, in the form of {@link BuildOptions.base}. Default:
   * the one with the same tag at the destination, else the newest there.
   */
  readonly reuseFrom?: string;
  /** true: creates a missing ECR repository before the push. Default false. */
  readonly createRepo?: boolean;
  /** true: does everything except the push. Default false. */
  readonly dryRun?: boolean;
  /** false: skips the checks that stop a build. Default true. */
  readonly check?: boolean;
  /** Rules (docs/check.md) that the image may break. */
  readonly allow?: string | readonly string[];
  /** true: the rules also read the base's layers. Default false: AWS's bases are known. */
  readonly deep?: boolean;
  /**
   * true: the function uses SnapStart; the image gets the label if its base needs it. Default
   * false.
   */
  readonly snapstart?: boolean;
  /**
   * The base lock, which applies if it exists. Default: `lambda-pack.lock` in the source directory.
   */
  readonly lockFile?: string;
  /** true: adds the base to the lock if it is missing. Default false. */
  readonly lock?: boolean;
  /** true: uses the base that the tag names now, and updates the lock. Default false. */
  readonly updateBase?: boolean;
  /**
   * true: the build fails if the lock lacks the base, or if the tag names another digest. Default
   * false.
   */
  readonly locked?: boolean;
}

export const BUILD_OPTIONS = {
  directory: required<string>(text, "the source directory", { placeholder: "DIR" }),
  base: optional<string>(
    text,
    "python:3.12 (an AWS base), an image reference, oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE or scratch",
    {
      ...{ placeholder: "BASE", variable: "LAMBDA_PACK_BASE", group: "Common" },
      defaultText: "detected from the files, such as package.json",
    },
  ),
  arch: { ...ARCHITECTURE_OPTION.arch, group: "Common" },
  ...HANDLER_OPTION,
  ...INSTALL_OPTIONS,
  bundle: off(
    "bundle the handler's TypeScript or JavaScript with the project's esbuild, and pack only that",
    {
      group: "Common",
    },
  ),
  ...DOCKERFILE_OPTIONS,
  to: optional<readonly string[]>(
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
  format: withDefault<"auto" | Family>(
    choice<"auto" | Family>(["auto", "docker", "oci"]),
    "auto",
    "media types",
    {
      placeholder: "auto|docker|oci",
      defaultText: "auto: those of the base",
      group: "Image",
    },
  ),
  ...SOURCE_OPTIONS,
  ...COMPOSITION_OPTIONS,
  level: withDefault(wholeNumber(1, 9), 4, "compression level, 1 fastest to 9 smallest", {
    placeholder: "1..9",
    defaultText: "4",
    group: "Files",
  }),
  reuseFrom: optional<string>(text, "reuse unchanged layers from this image", {
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
} satisfies OptionTable & Record<keyof BuildOptions, unknown>;

/** Picks the options of a build from those of a command that includes a build. */
export function pickBuildOptions<T extends object>(options: T): Pick<T, keyof T & keyof BuildOptions> {
  const picked = Object.entries(options).filter(([name]) => Object.hasOwn(BUILD_OPTIONS, name));
  // The filter keeps exactly the names of build options.
  return Object.fromEntries(picked) as Pick<T, keyof T & keyof BuildOptions>;
}
