import { misuse } from "../../errors.ts";
import type { Architecture } from "../../oci/platform.ts";
import { isReservedVariable } from "../../runtime/environment.ts";
import type { SessionPlan } from "../../session/session.ts";
import { INSTALL_OPTIONS } from "../build/option-groups.ts";
import { ARCHITECTURE, REGISTRY_TIMEOUT, SESSION_OPTIONS, TRANSFER_OPTIONS } from "../options/common.ts";
import { inBundle, type NoEffect, withoutInstall, withRule } from "../options/no-effect.ts";
import {
  adapted,
  inGroup,
  type OptionsOf,
  off,
  optional,
  texts,
  type Values,
  withDefault,
} from "../options/read.ts";
import { mergeVariables, variables } from "../options/records.ts";
import { handlerText, text, wholeNumber } from "../options/types.ts";

const unbuilt: NoEffect = ({ runsUnbuilt }) =>
  runsUnbuilt ? "the directory runs as it is, and nothing is downloaded" : undefined;

/** The options of the commands that run a function on this machine. */
export const LOCAL_OPTIONS = {
  ...inGroup("Function", {
    handler: optional(handlerText, "the function handler", {
      placeholder: "app.handler",
      defaultText: "detected for the usual file names",
    }),
    base: optional(text, "the AWS base that names the language, e.g. python:3.12", {
      placeholder: "BASE",
      variable: "LAMBDA_PACK_BASE",
    }),
    arch: optional(ARCHITECTURE, "this machine's architecture; any other is an error", {
      placeholder: "x86_64|arm64",
      alias: "platform",
    }),
    functionName: optional(text, "the function's name", {
      placeholder: "NAME",
      defaultText: "the directory's",
    }),
    timeout: withDefault(wholeNumber(1, 900), 3, "seconds that an invocation may take", {
      placeholder: "SECONDS",
      defaultText: "3, as in Lambda",
    }),
    memory: withDefault(wholeNumber(128, 10_240), 128, "memory size that the function sees; not enforced", {
      placeholder: "MB",
      defaultText: "128, as in Lambda",
    }),
    region: optional(text, "AWS_REGION of the function", {
      placeholder: "REGION",
      defaultText: "yours, else us-east-1",
    }),
    env: withDefault(
      variables,
      {},
      "set a variable of the function; K alone copies it from your environment",
      { placeholder: "K=V", short: "e" },
    ),
    envFile: texts("file of variables, NAME=value on each line", { placeholder: "FILE" }),
  }),
  ...inGroup("Files", {
    exclude: texts("leave files out, as for build", { placeholder: "GLOB" }),
    ignoreFile: optional(text, "file with patterns of files to leave out, as for build", {
      placeholder: "FILE",
      noEffect: inBundle,
    }),
    install: adapted(INSTALL_OPTIONS.install, {
      summary: "first install what the lock file names, as for build",
    }),
    extra: adapted(INSTALL_OPTIONS.extra, { noEffect: withoutInstall }),
    group: adapted(INSTALL_OPTIONS.group, { noEffect: withoutInstall }),
    bundle: off("bundle the handler with the project's esbuild, and run that"),
  }),
  ...SESSION_OPTIONS,
  ...withRule(unbuilt, { ...TRANSFER_OPTIONS, registryTimeout: REGISTRY_TIMEOUT }),
};

/** The options that `invoke` and `dev` share, about running a function on this machine. */
export type LocalOptions = OptionsOf<typeof LOCAL_OPTIONS>;

/** The plan for running a function, decided before any file is read or any process starts. */
export interface LocalPlan extends UnchangedValues {
  readonly session: SessionPlan;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly region: string;
  readonly variables: Readonly<Record<string, string>>;
}

type UnchangedValues = Readonly<
  Pick<
    Values<typeof LOCAL_OPTIONS>,
    | ("handler" | "base" | "functionName" | "exclude" | "ignoreFile")
    | ("install" | "extra" | "group" | "bundle")
  >
>;

/** Returns whether a bundle or dependencies are needed before the function can run. */
export function needsPreparation({ install, bundle }: LocalPlan): boolean {
  return bundle || install !== "none";
}

/**
 * Parses the options.
 * @throws USAGE for another architecture, reserved variables, and files that cannot be read
 */
export function localPlan(values: Values<typeof LOCAL_OPTIONS>, session: SessionPlan): LocalPlan {
  const { arch: architecture, timeout, memory, region } = values;
  const { handler, base, functionName, exclude, ignoreFile, install, bundle, extra, group } = values;
  checkArchitecture(architecture);
  return {
    ...{ session, handler, base, functionName, exclude, ignoreFile, install, bundle, extra, group },
    timeoutMs: timeout * 1000,
    memoryMb: memory,
    region: region ?? (session.environment["AWS_REGION"] || "us-east-1"),
    variables: variablesOf(values.env, values.envFile),
  };
}

function checkArchitecture(architecture: Architecture | undefined): void {
  const own = machineArchitecture();
  if (architecture === undefined || architecture === own) return;
  throw misuse(
    `this machine is ${own}, and --arch says ${architecture}`,
    `leave out --arch to run the function for ${own}, or run it on a machine that is ${architecture}`,
  );
}

export function machineArchitecture(): Architecture {
  return process.arch === "arm64" ? "arm64" : "x86_64";
}

function variablesOf(
  env: Readonly<Record<string, string>>,
  envFile: readonly string[],
): Readonly<Record<string, string>> {
  const variables = mergeVariables(env, envFile);
  const reserved = Object.keys(variables).find(isReservedVariable);
  if (reserved === undefined) return variables;
  throw misuse(
    `the variable ${reserved} is Lambda's own: giving it a value has no effect`,
    "leave it out; the handler is set with --handler, the memory with --memory",
  );
}
