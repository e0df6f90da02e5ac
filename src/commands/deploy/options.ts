import type { Deployed } from "../../aws/functions/deploy-function.ts";
import type { LambdaPackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKERFILE_OPTIONS } from "../build/option-groups.ts";
import { BUILD_OPTIONS, type BuildOptions } from "../build/options.ts";
import {
  ARCHITECTURE_OPTION,
  type CommonOptions,
  IMAGE_SUMMARY,
  REGISTRY_TIMEOUT,
  SESSION_OPTIONS,
  TAG_OPTION,
} from "../options/common.ts";
import { forDirectories } from "../options/no-effect.ts";
import {
  adapted,
  inGroup,
  type OptionsOf,
  type OptionTable,
  off,
  optional,
  required,
  type Values,
  withDefault,
  without,
} from "../options/read.ts";
import { labels, variables } from "../options/records.ts";
import { commandWords, instance, share, text, textOrList, wholeNumber } from "../options/types.ts";

export const FUNCTION_OPTIONS = inGroup("Function settings", {
  role: optional(text, "execution role; needed to create the function", { placeholder: "ARN" }),
  memory: optional(wholeNumber(128, 10_240), "memory of the function", { placeholder: "MB" }),
  timeout: optional(wholeNumber(1, 900), "seconds that an invocation may take", { placeholder: "SECONDS" }),
  ephemeralStorage: optional(wholeNumber(512, 10_240), "size of /tmp", { placeholder: "MB" }),
  env: withDefault(variables, {}, "set a variable of the function; K alone copies it from your environment", {
    placeholder: "K=V",
    short: "e",
  }),
  resourceTag: withDefault(
    labels,
    {},
    "add one of AWS's own tags to the function, and to a repository that is created",
    { placeholder: "K=V" },
  ),
  entrypoint: optional(
    commandWords,
    "override the image's ENTRYPOINT for this function; default removes the override",
    { placeholder: "WORD" },
  ),
  cmd: optional(commandWords, "override the image's CMD for this function; default removes the override", {
    placeholder: "WORD",
  }),
  workdir: optional(text, "override the image's WORKDIR for this function; default removes the override", {
    placeholder: "DIR",
  }),
});

/** The settings of a function; those that are not given stay as they are. */
export type FunctionOptions = OptionsOf<typeof FUNCTION_OPTIONS>;

const ROLLOUT_OPTIONS = inGroup("Rollout", {
  publish: off("publish a version", {
    noEffect: ({ values }) => (values["alias"] === undefined ? undefined : "an alias always gets a version"),
  }),
  alias: optional(text, "publish a version and move this alias to it", { placeholder: "NAME" }),
  weight: optional(share, "send only this part of the alias's invocations to the new version", {
    placeholder: "10%",
    defaultText: "all",
  }),
  warm: off("invoke the new version once, with {}, before the alias moves"),
  recreate: off(
    "delete and recreate a function whose creation failed, even if triggers or permissions are lost",
  ),
  dryRun: off("change nothing; show what would be changed", { short: "n" }),
});

/** The options that are not those of a build. */
const OWN_OPTIONS = {
  source: required(text, `a directory, ${IMAGE_SUMMARY}`),
  ...inGroup("Common", {
    function: required(textOrList, "the function, by name or ARN", { placeholder: "NAME" }),
    region: optional(
      textOrList,
      "region of the function; with several, the image goes to a repository in each",
      { placeholder: "REGION", defaultText: "the repository's, AWS_REGION or the profile's" },
    ),
    repo: optional(text, "ECR repository of the image", {
      placeholder: "NAME|URI",
      defaultText: "the image's, else the function's, else one named like the function",
    }),
    createRepo: off("create the ECR repository if it is missing", {
      noEffect: ({ values }) => (values["dryRun"] ? "a dry run creates nothing" : undefined),
    }),
    arch: adapted(ARCHITECTURE_OPTION.arch, {
      group: "Common",
      defaultText: "the function's, else the base's if it has only one, else x86_64",
    }),
  }),
  ...TAG_OPTION,
  ...FUNCTION_OPTIONS,
  ...ROLLOUT_OPTIONS,
};

/** The web adapter needs the image's CMD, and the `cmd` of a deploy is the function's. */
const { directory, to, envFile, webAdapter } = BUILD_OPTIONS;

/** The build options that apply if the source is a directory. */
const DIRECTORY_OPTIONS = {
  ...without(BUILD_OPTIONS, {
    ...{ ...OWN_OPTIONS, ...SESSION_OPTIONS, ...DOCKERFILE_OPTIONS },
    ...{ directory, to, envFile, webAdapter },
  }),
  base: adapted(BUILD_OPTIONS.base, { summary: "the base image, as for build" }),
  build: optional(
    instance("options of a build", isBuild),
    "options of the build that deploy lacks, or that are the function's here",
  ),
};

type OptionsOfBuild = Partial<Omit<BuildOptions, "directory" | "to" | keyof CommonOptions>>;

export const DEPLOY_OPTIONS = {
  ...OWN_OPTIONS,
  ...forDirectories(regrouped("For a directory, as in build", DIRECTORY_OPTIONS)),
  ...SESSION_OPTIONS,
  registryTimeout: REGISTRY_TIMEOUT,
};

export type DeployOptions = OptionsOf<typeof DEPLOY_OPTIONS>;
export type DeployValues = Values<typeof DEPLOY_OPTIONS>;

/** The build checks each option. */
function isBuild(value: unknown): value is OptionsOfBuild {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function regrouped<T extends OptionTable>(group: string, table: T): T {
  const options = Object.entries(table).map(([name, option]) => [name, { ...option, group }]);
  // The names and types of the options stay the same.
  return Object.fromEntries(options) as T;
}

/** The result for one function in one region. */
export type Deployment =
  | Deployed
  | (Pick<Deployed, "function" | "region"> & { readonly how: "failed"; readonly error: LambdaPackError });

export interface DeployResult {
  readonly digest: Digest;
  /** `linux/amd64`. */
  readonly platform: string;
  /** The image in each region, by digest. */
  readonly images: readonly string[];
  readonly deployments: readonly Deployment[];
}
