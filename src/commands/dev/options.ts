import { existsSync } from "node:fs";
import { misuse } from "../../errors.ts";
import { openRoot } from "../../layer/source-root.ts";
import type { SessionPlan } from "../../session/session.ts";
import { type ConfiguredFunction, configuredFunctions } from "../local/configured.ts";
import { LOCAL_OPTIONS, type LocalPlan, localPlan, needsPreparation } from "../local/options.ts";
import { CONFIG_FILE, readSessionOptions } from "../options/common.ts";
import type { NoEffect, Run } from "../options/no-effect.ts";
import { adapted, type OptionsOf, off, optional, texts, type Values, withDefault } from "../options/read.ts";
import { text, wholeNumber } from "../options/types.ts";

const withConfig: NoEffect = ({ values }) =>
  values["config"] === undefined ? undefined : "the configuration file names the functions";
const underDebugger: NoEffect = ({ values }) =>
  values["inspect"] || values["debugpy"] ? "no timeout applies under a debugger" : undefined;

export const DEV_OPTIONS = {
  directory: optional(text, "the directory with the function"),
  config: optional(text, "serve the functions of this configuration file", {
    ...{ placeholder: "FILE", defaultText: `${CONFIG_FILE}, if present`, group: "Server" },
  }),
  functions: texts("functions of the configuration file"),
  ...LOCAL_OPTIONS,
  functionName: adapted(LOCAL_OPTIONS.functionName, { noEffect: withConfig }),
  timeout: adapted(LOCAL_OPTIONS.timeout, { noEffect: underDebugger }),
  port: withDefault(wholeNumber(0, 65_535), 9000, "port of 127.0.0.1 to listen on; 0 is any free one", {
    ...{ placeholder: "N", defaultText: "9000", group: "Server" },
  }),
  inspect: off("start Node's inspector; no timeout applies", { group: "Server" }),
  debugpy: off("start Python's debugpy; no timeout applies", { group: "Server" }),
  debugPort: optional(wholeNumber(0, 65_535), "port of the debugger", {
    ...{ placeholder: "N", defaultText: "9229 for Node, 5678 for Python", group: "Server" },
  }),
};

export type DevOptions = OptionsOf<typeof DEV_OPTIONS>;

/** A function to serve. */
export interface ServedFunction extends LocalPlan {
  readonly directory: string;
}

export interface DevPlan {
  readonly session: SessionPlan;
  readonly functions: readonly ServedFunction[];
  /** The facts that decide which options have no effect. */
  readonly run: Run;
  readonly port: number;
  /** The ports for debuggers. */
  readonly debug: { readonly inspect?: number; readonly debugpy?: number };
}

/** Parses the options. @throws USAGE, DIRECTORY_UNREADABLE, CONFIG_INVALID */
export function parseDevOptions(options: DevOptions): DevPlan {
  const { values, session } = readSessionOptions("dev", DEV_OPTIONS, options);
  const config = configFile(values);
  const functions =
    config === undefined
      ? [{ ...localPlan(values, session), directory: values.directory ?? "." }]
      : servedFunctions(config, values.functions, options, session);
  for (const { directory } of functions) openRoot(directory);
  const debug = debugPorts(values, functions);
  const install = functions.find((one) => one.install !== "none")?.install ?? "none";
  const bundle = functions.every((one) => one.bundle);
  const runsUnbuilt = !functions.some(needsPreparation);
  const run = { values: { ...values, config, install, bundle }, usesRegistry: false, runsUnbuilt };
  return { session, functions, run, port: values.port, debug };
}

/** Returns the ports for debuggers. @throws USAGE */
function debugPorts(
  { inspect, debugpy, debugPort }: Values<typeof DEV_OPTIONS>,
  functions: readonly ServedFunction[],
): DevPlan["debug"] {
  if (inspect && debugpy)
    throw misuse(
      "--inspect and --debugpy exclude each other",
      "--inspect is for a function in Node, --debugpy for one in Python",
    );
  if (debugPort !== undefined && !inspect && !debugpy)
    throw misuse("--debug-port has no effect without --inspect or --debugpy");
  if (functions.length > 1 && (inspect || debugpy))
    throw misuse(
      "a debugger listens to one function, and there are several",
      "name the directory of one: lambda-pack dev DIR --inspect",
    );
  return {
    ...(inspect && { inspect: debugPort ?? 9229 }),
    ...(debugpy && { debugpy: debugPort ?? 5678 }),
  };
}

/** Returns the configuration file whose functions are served, if there is one. @throws USAGE */
function configFile(values: Values<typeof DEV_OPTIONS>): string | undefined {
  const { directory, config, functions: names } = values;
  if (directory !== undefined && (config !== undefined || names.length > 0))
    throw misuse("a directory and functions of a configuration file exclude each other");
  const isThere = config === undefined && directory === undefined && existsSync(CONFIG_FILE);
  return config ?? (isThere || names.length > 0 ? CONFIG_FILE : undefined);
}

function servedFunctions(
  file: string,
  names: readonly string[],
  options: DevOptions,
  session: SessionPlan,
): readonly ServedFunction[] {
  // One name cannot apply to several functions.
  const { functionName: _name, ...flags } = options;
  return configuredFunctions(file, names, flags, session.environment).map(servedFunction);
}

function servedFunction({ name, directory, file, options }: ConfiguredFunction): ServedFunction {
  if (file !== undefined)
    throw misuse(
      `the function ${name} is built by ${file}, and dev runs no Dockerfile`,
      `name the other functions after dev, and try this one with lambda-pack invoke ${name}`,
    );
  const { values, session } = readSessionOptions(name, LOCAL_OPTIONS, options);
  return { ...localPlan(values, session), directory };
}
