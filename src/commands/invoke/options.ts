import { statSync } from "node:fs";
import { misuse } from "../../errors.ts";
import { sampleEvent } from "../../runtime/samples/samples.ts";
import { type ImageLocation, parseSource } from "../../session/image-location.ts";
import { DOCKERFILE_OPTIONS } from "../build/option-groups.ts";
import type { BuildOptions } from "../build/options.ts";
import type { ImagePlan } from "../local/image.ts";
import {
  LOCAL_OPTIONS,
  type LocalPlan,
  localPlan,
  machineArchitecture,
  needsPreparation,
} from "../local/options.ts";
import { CONFIG_FILE, IMAGE_SUMMARY, readSessionOptions, SESSION_OPTIONS } from "../options/common.ts";
import type { Run } from "../options/no-effect.ts";
import { adapted, type OptionsOf, off, optional, required, type Values } from "../options/read.ts";
import { instance, json, text, toggle } from "../options/types.ts";

/** The error that a failed function returns to its caller. */
export interface InvocationError {
  /** For example `TypeError`, `Runtime.ExitError`, `Sandbox.Timedout`. */
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace: readonly string[];
}

/** Times in milliseconds. */
export interface InvokeResult {
  readonly outcome: "result" | "error" | "timeout";
  /** The function's response: JSON, or the text that it streamed. */
  readonly response?: string;
  readonly error?: InvocationError;
  readonly requestId: string;
  readonly durationMs: number;
  /**
   * The time from the start of the process to its first request for an event. Absent if the start
   * failed.
   */
  readonly initDurationMs?: number;
  /** In MB; absent if the system does not report it. */
  readonly maxMemoryMb?: number;
  readonly memoryMb: number;
  /** The program that ran the function, and how it was isolated. */
  readonly ranWith: string;
  readonly handler: string;
  /** The complete log, including Lambda's own lines. */
  readonly logs: string;
}

type OnChunk = (chunk: Uint8Array) => void | Promise<void>;

export const INVOKE_OPTIONS = {
  source: required(text, `a directory with a function, or an image: ${IMAGE_SUMMARY}`),
  config: optional(text, "the configuration file whose function is named (docs/config.md)", {
    ...{ placeholder: "FILE", defaultText: CONFIG_FILE, group: "Function" },
  }),
  ...LOCAL_OPTIONS,
  event: optional(json, "the event", { group: "Event" }),
  sample: optional(text, "use a sample event; --list-samples shows their names", {
    ...{ placeholder: "NAME", group: "Event" },
  }),
  sandbox: optional(
    toggle,
    "a directory: build it on --base and run the image in a sandbox; an image: run it with this machine's Node or Python",
    {
      group: "Sandbox",
      details: "`true` is for a directory, `false` for an image",
      defaultText: "an image runs in a sandbox, a directory does not",
    },
  ),
  file: adapted(DOCKERFILE_OPTIONS.file, { group: "Sandbox" }),
  network: off("give the sandbox this machine's network; it has none otherwise", { group: "Sandbox" }),
  onChunk: optional(
    instance("a function", (value): value is OnChunk => typeof value === "function"),
    "receives a streamed response in parts, as the function writes it",
    { details: "`response` in the result is then empty" },
  ),
};

export type InvokeOptions = OptionsOf<typeof INVOKE_OPTIONS>;

type InvokeValues = Values<typeof INVOKE_OPTIONS>;

export interface InvokePlan {
  readonly target: InvokeTarget;
  /** The facts that decide which options have no effect. undefined: the build warns of them. */
  readonly run: Run | undefined;
  readonly payload: Buffer;
  readonly onChunk: OnChunk | undefined;
}

export type InvokeTarget =
  /** A directory that runs as it is. */
  | (LocalPlan & { readonly kind: "directory"; readonly directory: string })
  /** A directory that is built first, in memory. */
  | (ImagePlan & { readonly kind: "build"; readonly build: BuildOptions })
  | (ImagePlan & { readonly kind: "image"; readonly source: ImageLocation });

/** Lambda's limit for the event of a synchronous invocation. */
const EVENT_LIMIT = 6 * 1024 * 1024;

/**
 * Parses the options.
 * @throws USAGE, also for options without effect on the source; REFERENCE_INVALID
 */
export function parseInvokeOptions(options: InvokeOptions): InvokePlan {
  const { values, session } = readSessionOptions("invoke", INVOKE_OPTIONS, options);
  const { source, sandbox, network, onChunk } = values;
  const plan = localPlan(values, session);
  const payload = payloadOf(values);
  const imagePlan = { ...plan, sandbox: sandbox ?? true, network };
  const found = statSync(source, { throwIfNoEntry: false });
  const isDirectory = found?.isDirectory() === true;
  if (isDirectory && (sandbox || values.file !== undefined)) {
    const build = buildOptionsOf(values, options);
    return { target: { kind: "build", build, ...imagePlan }, run: undefined, payload, onChunk };
  }
  if (isDirectory) {
    refuseUseless(source, "a directory runs without a sandbox, unless --sandbox is given", [
      ["--network", network],
      ["--no-sandbox", sandbox === false],
    ]);
    const run = { values, usesRegistry: false, runsUnbuilt: !needsPreparation(plan) };
    return { target: { kind: "directory", directory: source, ...plan }, run, payload, onChunk };
  }
  refuseUseless(source, "it is not a directory", [
    ["--base", values.base !== undefined],
    ["--exclude", values.exclude.length > 0],
    ["--ignore-file", values.ignoreFile !== undefined],
    ["--install", values.install !== "none"],
    ["--bundle", values.bundle],
    ["--file", values.file !== undefined],
    ["--network without a sandbox", network && sandbox === false],
  ]);
  if (!/[:/\\]/.test(source) || (!found && /^(?:\.{0,2}\/|\.{1,2}$)/.test(source)))
    throw misuse(
      `there is no directory ${source}`,
      "name a directory, a function of lambda-pack.jsonc, or an image, for example oci:.lambda-pack/app",
    );
  const location = parseSource(source, session.environment);
  const run = { values, usesRegistry: location.kind === "registry", isImage: true };
  return { target: { kind: "image", source: location, ...imagePlan }, run, payload, onChunk };
}

function buildOptionsOf(values: InvokeValues, options: InvokeOptions): BuildOptions {
  const { source: directory, base, handler, install, bundle, extra, group, file, exclude } = values;
  const { ignoreFile } = values;
  const shared = Object.keys(SESSION_OPTIONS).map((name) => [name, Reflect.get(options, name)]);
  return {
    ...Object.fromEntries(shared),
    ...{ install, bundle, extra, group },
    ...{ directory, exclude, dryRun: true, arch: machineArchitecture() },
    ...(base !== undefined && { base }),
    ...(file !== undefined && { file }),
    ...(handler !== undefined && { handler }),
    ...(ignoreFile !== undefined && { ignoreFile }),
  };
}

function refuseUseless(
  source: string,
  why: string,
  flags: readonly (readonly [flag: string, given: boolean])[],
): void {
  const [flag] = flags.find(([, given]) => given) ?? [];
  if (flag === undefined) return;
  throw misuse(`${flag} has no effect on ${source}: ${why}`, `leave out ${flag}`);
}

function payloadOf({ event, sample }: InvokeValues): Buffer {
  if (event !== undefined && sample !== undefined) throw misuse("--event and --sample exclude each other");
  const payload = Buffer.from(sample === undefined ? (event ?? "{}") : JSON.stringify(sampleEvent(sample)));
  if (payload.length <= EVENT_LIMIT) return payload;
  throw misuse(
    `the event has ${payload.length} bytes; Lambda takes ${EVENT_LIMIT} at most`,
    "put the data into Amazon S3 and its key into the event",
  );
}
