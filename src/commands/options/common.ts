import { homedir } from "node:os";
import { defaultCacheDirectory } from "../../cache/directory.ts";
import type { OnEvent } from "../../events.ts";
import { ARCHITECTURES, type Architecture } from "../../oci/platform.ts";
import type { Environment, SessionPlan } from "../../session/session.ts";
import { withoutRegistry, withoutServer } from "./no-effect.ts";
import {
  adapted,
  inGroup,
  type OptionsOf,
  off,
  optional,
  readOptions,
  texts,
  type Values,
  withDefault,
} from "./read.ts";
import { choice, instance, text, toggle, wholeNumber } from "./types.ts";

/** Other tools' names for Lambda's architectures. */
const OTHER_ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  amd64: "x86_64",
  x64: "x86_64",
  "x86-64": "x86_64",
  "linux/amd64": "x86_64",
  "linux/x86_64": "x86_64",
  aarch64: "arm64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
};

export const ARCHITECTURE = {
  ...choice<Architecture>(ARCHITECTURES, OTHER_ARCHITECTURES),
  hint: (value: unknown) =>
    String(value).includes(",") ? "an image for Lambda has one architecture: build one for each" : undefined,
};

/** The configuration file of a project. */
export const CONFIG_FILE = "lambda-pack.jsonc";

/** The forms of an image that commands read. */
export const IMAGE_SUMMARY =
  "an image reference, python:3.12 or similar, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE";

const TRANSFER = "Transfer and cache";

/** Has no alias, because some commands use `--timeout` for something else. */
export const REGISTRY_TIMEOUT = withDefault(
  wholeNumber(1, 3600),
  120,
  "how long a registry may be silent; it has at least 10 minutes to store a blob",
  {
    ...{ placeholder: "SECONDS", variable: "LAMBDA_PACK_TIMEOUT", defaultText: "120", group: TRANSFER },
    noEffect: withoutRegistry,
  },
);

/** The session options that a command line can have. */
export const TRANSFER_OPTIONS = inGroup(TRANSFER, {
  jobs: withDefault(wholeNumber(1, 64), 6, "how many blobs are transferred at once, 1 to 64", {
    placeholder: "N",
    short: "j",
    variable: "LAMBDA_PACK_JOBS",
    defaultText: "6",
  }),
  cacheDir: optional(text, "cache directory", {
    noEffect: ({ values }) => (values["cache"] === false ? "there is no cache" : undefined),
    placeholder: "DIR",
    variable: "LAMBDA_PACK_CACHE_DIR",
    defaultText: "~/.cache/lambda-pack",
  }),
  cache: withDefault(toggle, true, "do not read or write the cache"),
  offline: off("work from the cache only; fail if something is missing"),
  insecureRegistry: texts("allow plain HTTP for this host; localhost is always allowed", {
    placeholder: "HOST[:PORT]",
    variable: "LAMBDA_PACK_INSECURE_REGISTRY",
    noEffect: withoutServer,
  }),
  registryTimeout: adapted(REGISTRY_TIMEOUT, { alias: "timeout" }),
  trustRealm: texts("send the login of a registry to this token server too", {
    placeholder: "HOST",
    variable: "LAMBDA_PACK_TRUST_REALM",
    noEffect: withoutRegistry,
  }),
  allowPrivate: texts("allow a registry to redirect to this host, or a host below it, at a private address", {
    placeholder: "HOST",
    variable: "LAMBDA_PACK_ALLOW_PRIVATE",
    noEffect: withoutRegistry,
  }),
});

export const SESSION_OPTIONS = {
  ...TRANSFER_OPTIONS,
  environment: optional(
    instance("an object with environment variables, such as process.env", isEnvironment),
    "the environment variables to use: DOCKER_CONFIG, AWS_*, HTTPS_PROXY, SOURCE_DATE_EPOCH ...",
    { defaultText: "process.env" },
  ),
  onEvent: withDefault(
    instance("a function", isFunction),
    () => undefined,
    "receives the events of the work",
  ),
  signal: optional(
    instance("an AbortSignal", isSignal),
    "aborts the work within a second, and leaves no file half-written",
  ),
};

/** The options of every command that reads or writes images. */
export type SessionOptions = OptionsOf<typeof SESSION_OPTIONS>;

export const TAG_OPTION = {
  tag: texts("another tag for every destination", { placeholder: "TAG", group: "Destination" }),
};

/** The options of every command that pushes images. */
export type CommonOptions = SessionOptions & OptionsOf<typeof TAG_OPTION>;

export const ARCHITECTURE_OPTION = {
  arch: optional(ARCHITECTURE, "the architecture; amd64 and aarch64 mean the same", {
    placeholder: "x86_64|arm64",
    alias: "platform",
    variable: "LAMBDA_PACK_ARCH",
    defaultText: "that of the base or image if it has only one, else x86_64",
    group: "Image",
  }),
};

/** Reads the options of a command, including those of its session. @throws USAGE */
export function readSessionOptions<T extends typeof SESSION_OPTIONS>(
  command: string,
  table: T,
  options: unknown,
): { readonly values: Values<T>; readonly session: SessionPlan } {
  const values = readOptions(command, table, options, environmentOf(options));
  return { values, session: sessionPlan(values) };
}

/** Reads the session options among those of a command. @throws USAGE for a wrong type */
export function sessionPlanOf(options: SessionOptions): SessionPlan {
  const own = Object.entries(options).filter(([name]) => Object.hasOwn(SESSION_OPTIONS, name));
  return readSessionOptions("lambda-pack", SESSION_OPTIONS, Object.fromEntries(own)).session;
}

/** Returns the environment option, which is needed to read the others. */
function environmentOf(options: unknown): Environment {
  const given = typeof options === "object" && options !== null && "environment" in options;
  const environment = given ? options.environment : undefined;
  return isEnvironment(environment) ? environment : process.env;
}

function sessionPlan(values: Values<typeof SESSION_OPTIONS>): SessionPlan {
  const { cache, cacheDir, environment = process.env, ...others } = values;
  const directory = cacheDir ?? defaultCacheDirectory(environment, process.platform, homedir());
  const { jobs, offline, insecureRegistry: insecureRegistries, onEvent, signal } = others;
  const { registryTimeout, trustRealm: trustRealms, allowPrivate } = others;
  return {
    environment,
    cacheDirectory: cache ? directory : undefined,
    ...{ jobs, offline, insecureRegistries, onEvent, signal },
    ...{ registryTimeout, trustRealms, allowPrivate },
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

/** Checks the shape, to accept a signal of another realm or of a polyfill. */
function isSignal(value: unknown): value is AbortSignal {
  return (
    typeof value === "object" && value !== null && "aborted" in value && typeof value.aborted === "boolean"
  );
}
