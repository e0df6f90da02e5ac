import { LambdaPackError } from "../../errors.ts";
import type { Architecture } from "../../oci/platform.ts";
import { isReservedVariable } from "../../runtime/environment.ts";
import type { SessionPlan } from "../../session/plan.ts";
import { INSTALL_OPTIONS } from "../build/option-groups.ts";
import type { BuildOptions } from "../build/options.ts";
import {
  ARCHITECTURE,
  REGISTRY_TIMEOUT,
  SESSION_OPTIONS,
  type SessionOptions,
  TRANSFER_OPTIONS,
} from "../options/common.ts";
import { inBundle, type NoEffect, withoutInstall, withRule } from "../options/no-effect.ts";
import { inGroup, type OptionTable, off, optional, type Values, withDefault } from "../options/read.ts";
import { variables } from "../options/records.ts";
import { handlerText, text, textOrList, wholeNumber } from "../options/types.ts";
import { mergeVariables } from "../options/variable-files.ts";

/** The options that `invoke` and `dev` share, about running a function on this machine. */
export interface LocalOptions extends SessionOptions {
  /** Default: found by the usual names, or the image's CMD. */
  readonly handler?: string;
  /** The AWS base that determines the language: `python:3.12`. Default: detected from the files. */
  readonly base?: string;
  /** Must be this machine's architecture, which is the default. */
  readonly arch?: Architecture;
  /** The name of the function in Lambda. Default: that of the directory or repository. */
  readonly functionName?: string;
  /** The time limit of an invocation in seconds, 1 to 900. Default 3, as in Lambda. */
  readonly timeout?: number;
  /**
   * The function's memory in MB, 128 to 10240. It is not enforced on this machine. Default 128, as
   * in Lambda.
   */
  readonly memory?: number;
  /** Default: AWS_REGION in the environment, else us-east-1. */
  readonly region?: string;
  /** Environment variables of the function. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Files of variables (`NAME=value`); a later file wins over an earlier one, and `env` over all.
   */
  readonly envFile?: string | readonly string[];
  /** Patterns in .dockerignore syntax, as for a build. */
  readonly exclude?: string | readonly string[];
  /** Default: `.lambdaignore` in the directory, else its `.dockerignore`. */
  readonly ignoreFile?: string;
  /**
   * For a directory: how dependencies are installed, as for a build. They are for this machine, or
   * for the image if one is run.
   */
  readonly install?: BuildOptions["install"];
  readonly extra?: BuildOptions["extra"];
  readonly group?: BuildOptions["group"];
  /** For a directory: runs only the bundle of the handler, as for a build. */
  readonly bundle?: boolean;
}

const unbuilt: NoEffect = ({ runsUnbuilt }) =>
  runsUnbuilt ? "the directory runs as it is, and nothing is downloaded" : undefined;

/** The options of the commands that run a function on this machine. */
export const LOCAL_OPTIONS = {
  ...inGroup("Function", {
    handler: optional<string>(handlerText, "the function handler", {
      placeholder: "app.handler",
      defaultText: "detected for the usual file names",
    }),
    base: optional<string>(text, "the AWS base that names the language, e.g. python:3.12", {
      placeholder: "BASE",
      variable: "LAMBDA_PACK_BASE",
    }),
    arch: optional(ARCHITECTURE, "this machine's architecture; any other is an error", {
      placeholder: "x86_64|arm64",
      alias: "platform",
    }),
    functionName: optional<string>(text, "the function's name", {
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
    region: optional<string>(text, "AWS_REGION of the function", {
      placeholder: "REGION",
      defaultText: "yours, else us-east-1",
    }),
    env: withDefault<Readonly<Record<string, string>>>(
      variables,
      {},
      "set a variable of the function; K alone copies it from your environment",
      { placeholder: "K=V", short: "e" },
    ),
    envFile: withDefault<readonly string[]>(textOrList, [], "file of variables, NAME=value on each line", {
      placeholder: "FILE",
    }),
  }),
  ...inGroup("Files", {
    exclude: withDefault<readonly string[]>(textOrList, [], "leave files out, as for build", {
      placeholder: "GLOB",
    }),
    ignoreFile: optional<string>(text, "file with patterns of files to leave out, as for build", {
      placeholder: "FILE",
      noEffect: inBundle,
    }),
    install: { ...INSTALL_OPTIONS.install, summary: "first install what the lock file names, as for build" },
    extra: { ...INSTALL_OPTIONS.extra, noEffect: withoutInstall },
    group: { ...INSTALL_OPTIONS.group, noEffect: withoutInstall },
    bundle: off("bundle the handler with the project's esbuild, and run that"),
  }),
  ...SESSION_OPTIONS,
  ...withRule(unbuilt, { ...TRANSFER_OPTIONS, registryTimeout: REGISTRY_TIMEOUT }),
} satisfies OptionTable & Record<keyof LocalOptions, unknown>;

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
  throw new LambdaPackError("USAGE", `this machine is ${own}, and --arch says ${architecture}`, {
    hint: `leave out --arch to run the function for ${own}, or run it on a machine that is ${architecture}`,
  });
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
  throw new LambdaPackError(
    "USAGE",
    `the variable ${reserved} is Lambda's own: giving it a value has no effect`,
    { hint: "leave it out; the handler is set with --handler, the memory with --memory" },
  );
}
