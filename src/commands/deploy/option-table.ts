import { COMPOSITION_OPTIONS } from "../build/composition/options.ts";
import {
  CONFIG_OPTIONS,
  HANDLER_OPTION,
  LOCK_FILE_OPTION,
  RULE_OPTIONS,
  SOURCE_OPTIONS,
} from "../build/option-groups.ts";
import { BUILD_OPTIONS } from "../build/options.ts";
import {
  ARCHITECTURE_OPTION,
  IMAGE_SUMMARY,
  REGISTRY_TIMEOUT,
  SESSION_OPTIONS,
  TAG_OPTION,
} from "../options/common.ts";
import { forDirectories } from "../options/no-effect.ts";
import {
  inGroup,
  type OptionTable,
  off,
  optional,
  required,
  type Values,
  withDefault,
} from "../options/read.ts";
import { labels, variables } from "../options/records.ts";
import { commandWords, instance, share, text, textOrList, wholeNumber } from "../options/types.ts";
import type { DeployOptions } from "./options.ts";

const { format, level, install, extra, group, bundle, reuseFrom, check, lock, updateBase, locked } =
  BUILD_OPTIONS;
const { label, target } = CONFIG_OPTIONS;
/**
 * The web adapter is left out: it needs the image's CMD, and the `cmd` of a deploy is the
 * function's.
 */
const { copyFrom, add, lambdaLayer, extension, runtimeClient } = COMPOSITION_OPTIONS;

/** The build options that apply if the source is a directory. */
const DIRECTORY_OPTIONS = {
  base: optional<string>(text, "the base image, as for build", {
    defaultText: "detected from the files, such as package.json",
    ...{ placeholder: "BASE", variable: "LAMBDA_PACK_BASE" },
  }),
  ...HANDLER_OPTION,
  ...{ label, target, format, level, install, extra, group, bundle, reuseFrom },
  ...SOURCE_OPTIONS,
  ...{ copyFrom, add, lambdaLayer, extension, runtimeClient },
  check,
  ...RULE_OPTIONS,
  ...{ lock, updateBase, locked },
  ...LOCK_FILE_OPTION,
  build: optional<NonNullable<DeployOptions["build"]>>(
    instance("options of a build", isBuild),
    "options of the build that deploy lacks, or that are the function's here",
  ),
} satisfies OptionTable;

const FUNCTION_OPTIONS = inGroup("Function settings", {
  role: optional<string>(text, "execution role; needed to create the function", { placeholder: "ARN" }),
  memory: optional<number>(wholeNumber(128, 10_240), "memory of the function", { placeholder: "MB" }),
  timeout: optional<number>(wholeNumber(1, 900), "seconds that an invocation may take", {
    placeholder: "SECONDS",
  }),
  ephemeralStorage: optional<number>(wholeNumber(512, 10_240), "size of /tmp", { placeholder: "MB" }),
  env: withDefault<Readonly<Record<string, string>>>(
    variables,
    {},
    "set a variable of the function; K alone copies it from your environment",
    { placeholder: "K=V", short: "e" },
  ),
  resourceTag: withDefault<Readonly<Record<string, string>>>(
    labels,
    {},
    "add one of AWS's own tags to the function, and to a repository that is created",
    { placeholder: "K=V" },
  ),
  entrypoint: optional<readonly string[]>(
    commandWords,
    "override the image's ENTRYPOINT for this function; default removes the override",
    {
      placeholder: "WORD",
    },
  ),
  cmd: optional<readonly string[]>(
    commandWords,
    "override the image's CMD for this function; default removes the override",
    {
      placeholder: "WORD",
    },
  ),
  workdir: optional<string>(
    text,
    "override the image's WORKDIR for this function; default removes the override",
    { placeholder: "DIR" },
  ),
});

const ROLLOUT_OPTIONS = inGroup("Rollout", {
  publish: off("publish a version", {
    noEffect: ({ values }) => (values["alias"] === undefined ? undefined : "an alias always gets a version"),
  }),
  alias: optional<string>(text, "publish a version and move this alias to it", { placeholder: "NAME" }),
  weight: optional<number>(share, "send only this part of the alias's invocations to the new version", {
    placeholder: "10%",
    defaultText: "all",
  }),
  warm: off("invoke the new version once, with {}, before the alias moves"),
  recreate: off(
    "delete and recreate a function whose creation failed, even if triggers or permissions are lost",
  ),
  dryRun: off("change nothing; show what would be changed", { short: "n" }),
});

export const DEPLOY_OPTIONS = {
  source: required<string>(text, `a directory, ${IMAGE_SUMMARY}`),
  ...inGroup("Common", {
    function: required<readonly string[]>(textOrList, "the function, by name or ARN", {
      placeholder: "NAME",
    }),
    region: optional<readonly string[]>(
      textOrList,
      "region of the function; with several, the image goes to a repository in each",
      { placeholder: "REGION", defaultText: "the repository's, AWS_REGION or the profile's" },
    ),
    repo: optional<string>(text, "ECR repository of the image", {
      placeholder: "NAME|URI",
      defaultText: "the image's, else the function's, else one named like the function",
    }),
    createRepo: off("create the ECR repository if it is missing", {
      noEffect: ({ values }) => (values["dryRun"] ? "a dry run creates nothing" : undefined),
    }),
    arch: {
      ...ARCHITECTURE_OPTION.arch,
      group: "Common",
      defaultText: "the function's, else the base's if it has only one, else x86_64",
    },
  }),
  ...TAG_OPTION,
  ...FUNCTION_OPTIONS,
  ...ROLLOUT_OPTIONS,
  ...forDirectories(regrouped("For a directory, as in build", DIRECTORY_OPTIONS)),
  ...SESSION_OPTIONS,
  registryTimeout: REGISTRY_TIMEOUT,
} satisfies OptionTable & Record<keyof DeployOptions, unknown>;

export type DeployValues = Values<typeof DEPLOY_OPTIONS>;

/** The build checks each option. */
function isBuild(value: unknown): value is NonNullable<DeployOptions["build"]> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function regrouped<T extends OptionTable>(group: string, table: T): T {
  const options = Object.entries(table).map(([name, option]) => [name, { ...option, group }]);
  // The names and types of the options stay the same.
  return Object.fromEntries(options) as T;
}
