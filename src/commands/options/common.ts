import { homedir } from "node:os";
import { defaultCacheDirectory } from "../../cache/location.ts";
import type { OnEvent } from "../../events.ts";
import { ARCHITECTURES, type Architecture } from "../../oci/platform.ts";
import type { Environment, SessionPlan } from "../../session/plan.ts";
import { type OptionTable, optional, readOptions, type Values, withDefault } from "./read.ts";
import { choice, instance, listOf, text, toggle, wholeNumber } from "./types.ts";

/** What every command takes that reads or writes images. */
export interface SessionOptions {
  /** Blobs in flight at once, 1 to 64. Default: LAMBDA_PACK_JOBS, else 6. */
  readonly jobs?: number;
  /** Default: LAMBDA_PACK_CACHE_DIR, else `lambda-pack` in the user's directory for caches. */
  readonly cacheDirectory?: string;
  /** false: nothing is read from or left in the cache. Default true. */
  readonly cache?: boolean;
  /** true: no request leaves this machine; what is not in the cache is an error. Default false. */
  readonly offline?: boolean;
  /** Hosts (`host:port`) that are reached over http. Loopback hosts always are. */
  readonly insecureRegistries?: readonly string[];
  /**
   * Where DOCKER_CONFIG, AWS_*, HTTPS_PROXY, SOURCE_DATE_EPOCH ... are read. Default: process.env.
   */
  readonly environment?: Environment;
  readonly onEvent?: OnEvent;
  /** Aborting ends the work within a second and leaves nothing half-written. */
  readonly signal?: AbortSignal;
}

/** What every command takes that sends images. */
export interface CommonOptions extends SessionOptions {
  /** More tags for every destination, beside the one in the destination itself. */
  readonly tags?: readonly string[];
}

/** Names that other tools have for Lambda's architectures. */
const OTHER_ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  amd64: "x86_64",
  x64: "x86_64",
  "x86-64": "x86_64",
  "linux/amd64": "x86_64",
  aarch64: "arm64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
};

export const ARCHITECTURE = choice<Architecture>(ARCHITECTURES, OTHER_ARCHITECTURES);

export const SESSION_OPTIONS = {
  jobs: withDefault(wholeNumber(1, 64), 6, "blobs in flight at once", "LAMBDA_PACK_JOBS"),
  cacheDirectory: optional<string>(text, "where blobs are kept between runs"),
  cache: withDefault(toggle, true, "whether blobs are kept between runs"),
  offline: withDefault(toggle, false, "send no request; what is not in the cache is an error"),
  insecureRegistries: withDefault<readonly string[]>(
    listOf(text),
    [],
    "hosts that are reached over http; loopback hosts always are",
  ),
  environment: optional<Environment>(
    instance("an object with environment variables, such as process.env", isEnvironment),
    "where environment variables are read",
  ),
  onEvent: withDefault<OnEvent>(instance("a function", isFunction), () => undefined, "receives events"),
  signal: optional<AbortSignal>(instance("an AbortSignal", isSignal), "ends the work when it aborts"),
} satisfies OptionTable & Record<keyof SessionOptions, unknown>;

export const TAG_OPTION = {
  tags: withDefault<readonly string[]>(listOf(text), [], "more tags for every destination"),
} satisfies OptionTable;

export const ARCHITECTURE_OPTION = {
  architecture: optional<Architecture>(ARCHITECTURE, "the architecture of the image"),
} satisfies OptionTable;

/** Reads the options of a command together with those of its session. @throws USAGE. */
export function readSessionOptions<T extends typeof SESSION_OPTIONS>(
  command: string,
  table: T,
  options: unknown,
): { readonly values: Values<T>; readonly session: SessionPlan } {
  const values = readOptions(command, table, options, environmentOf(options));
  return { values, session: sessionPlan(values) };
}

/** Reads the options of a session among those of a command. @throws USAGE for a wrong type. */
export function sessionPlanOf(options: SessionOptions): SessionPlan {
  const own = Object.entries(options).filter(([name]) => Object.hasOwn(SESSION_OPTIONS, name));
  return readSessionOptions("lambda-pack", SESSION_OPTIONS, Object.fromEntries(own)).session;
}

/** Variables stand in for options before these are read. */
function environmentOf(options: unknown): Environment {
  const given = typeof options === "object" && options !== null && "environment" in options;
  const environment = given ? options.environment : undefined;
  return isEnvironment(environment) ? environment : process.env;
}

function sessionPlan(values: Values<typeof SESSION_OPTIONS>): SessionPlan {
  const { cache, cacheDirectory, environment = process.env, ...others } = values;
  const directory = cacheDirectory ?? defaultCacheDirectory(environment, process.platform, homedir());
  const { jobs, offline, insecureRegistries, onEvent, signal } = others;
  return {
    environment,
    cacheDirectory: cache ? directory : undefined,
    ...{ jobs, offline, insecureRegistries, onEvent, signal },
  };
}

function isEnvironment(value: unknown): value is Environment {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((one) => one === undefined || typeof one === "string")
  );
}

function isFunction(value: unknown): value is OnEvent {
  return typeof value === "function";
}

/** Also a signal of another realm or of a polyfill. */
function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" && value !== null && "aborted" in value && typeof value.aborted === "boolean"
  );
}
