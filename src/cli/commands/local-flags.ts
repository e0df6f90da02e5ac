import type { Architecture, LocalOptions } from "../../index.ts";
import type { Flags } from "../command.ts";
import { list, value } from "../flags.ts";
import { type Pair, text, variable, whole } from "../values.ts";
import { ARCHITECTURE_FLAG } from "./common.ts";

/** What the commands understand that run a function on this machine. */
export interface LocalFlags {
  readonly handler: string | undefined;
  readonly base: string | undefined;
  readonly arch: Architecture | undefined;
  readonly functionName: string | undefined;
  readonly timeout: number | undefined;
  readonly memory: number | undefined;
  readonly region: string | undefined;
  readonly env: readonly (Pair | undefined)[];
  readonly envFile: readonly string[];
  readonly exclude: readonly string[];
  readonly ignoreFile: string | undefined;
}

export const LOCAL_FLAGS: Flags<LocalFlags> = {
  handler: value(text, {
    placeholder: "app.handler",
    summary: "what Lambda calls; found where it has a usual name",
  }),
  base: value(text, { placeholder: "BASE", summary: "AWS's base that says the language, as for build" }),
  arch: { ...ARCHITECTURE_FLAG, summary: "has to be this machine's", defaultText: "this machine's" },
  functionName: value(text, {
    placeholder: "NAME",
    summary: "the function's name",
    defaultText: "the directory's",
  }),
  timeout: value(whole(1, 900), {
    placeholder: "SECONDS",
    summary: "how long an invocation may take",
    defaultText: "3, as Lambda's",
  }),
  memory: value(whole(128, 10_240), {
    placeholder: "MB",
    summary: "what the function is told; nothing here enforces it, and more is warned of",
    defaultText: "128, as Lambda's",
  }),
  region: value(text, {
    placeholder: "R",
    summary: "AWS_REGION of the function",
    defaultText: "yours, else us-east-1",
  }),
  env: list(variable, {
    placeholder: "K=V",
    summary:
      "a variable of the function; K alone takes its value from yours, which it otherwise does not see",
  }),
  envFile: list(text, { placeholder: "F", summary: "a file of variables, NAME=value on each line" }),
  exclude: list(text, { placeholder: "GLOB", summary: "leave out these files too, as for build" }),
  ignoreFile: value(text, { placeholder: "F", summary: "as for build" }),
};

export function localOptions(flags: LocalFlags): LocalOptions {
  const { handler, base, arch, functionName, timeout, memory, region, ignoreFile } = flags;
  return {
    ...(handler !== undefined && { handler }),
    ...(base !== undefined && { base }),
    ...(arch !== undefined && { architecture: arch }),
    ...(functionName !== undefined && { functionName }),
    ...(timeout !== undefined && { timeout }),
    ...(memory !== undefined && { memory }),
    ...(region !== undefined && { region }),
    ...(ignoreFile !== undefined && { ignoreFile }),
    env: Object.fromEntries(flags.env.filter((pair) => pair !== undefined)),
    envFile: flags.envFile,
    exclude: flags.exclude,
  };
}
