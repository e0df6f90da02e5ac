import { isAbsolute, join } from "node:path";
import type { Environment } from "../../session/session.ts";
import { type OptionTable, readVariable } from "../options/read.ts";
import type { ConfigFile, Settings } from "./parse.ts";

/** Keys whose values are paths relative to the configuration file. */
const PATHS: ReadonlySet<string> = new Set([
  "directory",
  "file",
  "envFile",
  "ignoreFile",
  "lockFile",
  "cacheDir",
  "add",
  "extension",
]);
/** Keys whose values may be paths after `oci:` and similar prefixes. */
const IMAGES: ReadonlySet<string> = new Set(["to", "base", "reuseFrom", "copyFrom", "webAdapter"]);

const LOCAL_IMAGE = /^(oci|oci-archive|docker-archive):(.*)$/s;

/** The sources of values, by precedence: a flag, a variable, the function, the defaults. */
export interface MergeScope {
  readonly table: OptionTable;
  /** The directory of the configuration file. */
  readonly directory: string;
  readonly flags: Settings;
  readonly environment: Environment;
}

/**
 * Merges the options of one function. Objects such as `env` are merged by key; all other values are
 * replaced. `{name}` in flags, variables and defaults is the name of the function.
 */
export function mergeSettings(config: ConfigFile, name: string | undefined, scope: MergeScope): Settings {
  const { table, directory, environment } = scope;
  const named = (settings: Settings) => (name === undefined ? settings : withName(settings, name));
  const own = name === undefined ? {} : (config.functions.get(name) ?? {});
  const written = Object.entries(mergeObjects(named(config.defaults), own));
  const resolved = written.map(([key, value]) => [key, resolvePaths(key, value, directory)]);
  const variables = named(variablesOf(table, environment));
  return mergeObjects(Object.fromEntries(resolved), variables, named(scope.flags));
}

/** Reads the options that have an environment variable. @throws USAGE for an invalid value */
function variablesOf(table: OptionTable, environment: Environment): Settings {
  const values = Object.entries(table).flatMap(([key, { type, variable }]) => {
    const value = variable === undefined ? undefined : readVariable(variable, type, environment);
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(values);
}

function mergeObjects(...all: readonly Settings[]): Settings {
  return all.reduce(mergeTwo, {});
}

function mergeTwo(lower: Settings, upper: Settings): Settings {
  const joined = Object.entries(upper)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const below = lower[key];
      return [key, isRecord(below) && isRecord(value) ? { ...below, ...value } : value];
    });
  return { ...lower, ...Object.fromEntries(joined) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function withName(settings: Settings, name: string): Settings {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, replaceName(value, name)]));
}

function replaceName(value: unknown, name: string): unknown {
  if (typeof value === "string") return value.replaceAll("{name}", name);
  if (Array.isArray(value)) return value.map((one) => replaceName(one, name));
  return isRecord(value) ? withName(value, name) : value;
}

function resolvePaths(key: string, value: unknown, directory: string): unknown {
  if (Array.isArray(value)) return value.map((one) => resolvePaths(key, one, directory));
  if (typeof value !== "string") return value;
  if (PATHS.has(key) || (key === "lambdaLayer" && !value.startsWith("arn:")))
    return inDirectory(directory, value);
  const [, kind, path] = (IMAGES.has(key) && LOCAL_IMAGE.exec(value)) || [];
  return kind === undefined || path === undefined ? value : `${kind}:${inDirectory(directory, path)}`;
}

function inDirectory(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}
