import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { LambdaPackError } from "../errors.ts";
import type { Architecture } from "../oci/platform.ts";
import { isReservedVariable } from "../runtime/environment.ts";
import type { SessionOptions } from "./options/common.ts";

/** What `invoke` and `dev` share: how a function runs on this machine. */
export interface LocalOptions extends SessionOptions {
  /** Default: found from the usual names, or the image's CMD. */
  readonly handler?: string;
  /** AWS's base that says the language: `python:3.12`. Default: the files say it. */
  readonly base?: string;
  /** Has to be this machine's. Default: this machine's. */
  readonly architecture?: Architecture;
  /** Of the function in Lambda. Default: the directory's or the repository's. */
  readonly functionName?: string;
  /** Seconds that an invocation may take, 1 to 900. Default 3, as Lambda's. */
  readonly timeout?: number;
  /** MB, 128 to 10240: what the function is told. Nothing on this machine enforces it. Default 128, as Lambda's. */
  readonly memory?: number;
  /** Default: AWS_REGION of the environment, else us-east-1. */
  readonly region?: string;
  /** Variables of the function. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files of variables (`NAME=value`); a later one wins over an earlier one, `env` over all. */
  readonly envFile?: readonly string[];
  /** Patterns in .dockerignore syntax, as for a build. */
  readonly exclude?: readonly string[];
  /** Default: `.lambdaignore` of the directory, else its `.dockerignore`. */
  readonly ignoreFile?: string;
}

const DEFAULT_TIMEOUT_SECONDS = 3;
const DEFAULT_MEMORY_MB = 128;

/** What the options say, with Lambda's defaults in place. */
export interface LocalSettings {
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly region: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** @throws USAGE for values that Lambda does not take, and for another machine's architecture */
export function parseLocalOptions(options: LocalOptions): LocalSettings {
  const { timeout = DEFAULT_TIMEOUT_SECONDS, memory = DEFAULT_MEMORY_MB, architecture } = options;
  checkWhole("timeout", timeout, 1, 900, "seconds");
  checkWhole("memory", memory, 128, 10_240, "MB");
  checkArchitecture(architecture);
  const environment = options.environment ?? process.env;
  return {
    timeoutMs: timeout * 1000,
    memoryMb: memory,
    region: options.region ?? (environment["AWS_REGION"] || "us-east-1"),
    variables: variablesOf(options),
  };
}

function checkWhole(name: string, value: number, low: number, high: number, unit: string): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new LambdaPackError("USAGE", `${name} should be a whole number of ${unit} from ${low} to ${high}`);
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

function variablesOf({ env = {}, envFile = [] }: LocalOptions): Readonly<Record<string, string>> {
  const variables = Object.assign({}, ...envFile.map(readVariables), env) as Record<string, string>;
  const reserved = Object.keys(variables).find(isReservedVariable);
  if (reserved === undefined) return variables;
  throw new LambdaPackError(
    "USAGE",
    `the variable ${reserved} is Lambda's own: giving it a value has no effect`,
    {
      hint: "leave it out; the handler is set with --handler, the memory with --memory",
    },
  );
}

function readVariables(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LambdaPackError("USAGE", `the file of variables ${file} cannot be read`, { cause });
  }
}
