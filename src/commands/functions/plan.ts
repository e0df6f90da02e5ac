import { join } from "node:path";
import { LOCK_FILE } from "../../base/lock.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import { formatName, type ImageLocation } from "../../session/image-location.ts";
import type { Environment, SessionPlan } from "../../session/session.ts";
import { type BuildOptions, pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type LoadedConfig, loadConfig, selectFunctions } from "../config/load.ts";
import { mergeSettings } from "../config/merge.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import { CONFIG_FILE, type SessionOptions, sessionPlanOf } from "../options/common.ts";

/** The options of every command for the functions of a configuration file. */
export interface FunctionsOptions extends SessionOptions {
  /** The configuration file. Default: `lambda-pack.jsonc`. */
  readonly config?: string;
  /** Names of functions. Default: all. */
  readonly functions?: readonly string[];
  /**
   * Options that win over the file for every function; `{name}` in them is the name of the
   * function.
   */
  readonly options?: Partial<BuildOptions>;
}

/** A function of the file with the plan for its image. */
export interface FunctionPlan {
  readonly name: string;
  /** The merged settings, for the options that are not part of a build. */
  readonly settings: Settings;
  /** The settings that are not from the defaults. */
  readonly given: Settings;
  readonly build: BuildPlan;
}

interface FunctionsPlan {
  readonly session: SessionPlan;
  readonly functions: readonly FunctionPlan[];
}

/**
 * Checks all functions before the first is built.
 * @throws CONFIG_INVALID, USAGE, and what the options of a build throw, with the name of the
 * function
 */
export function planFunctions(options: FunctionsOptions): FunctionsPlan {
  const { config: file = CONFIG_FILE, functions: names = [], options: flags = {}, ...own } = options;
  const loaded = loadConfig(file);
  const { environment = process.env } = own;
  const functions = selectFunctions(loaded, names).map((name) => {
    const settings = functionSettings(loaded, name, { ...flags, ...own }, environment);
    const build = named(name, () => parseBuildOptions(buildOptions(settings)));
    // A default that does nothing for one function is for others, and causes no warning.
    const chosen = { ...loaded.functions.get(name), ...flags, ...own };
    const given = Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(chosen, key)));
    return { name, settings, given, build: { ...build, given } };
  });
  refuseSharedDestinations(functions);
  const [first] = functions;
  return { session: first?.build.session ?? sessionPlanOf(own), functions };
}

/** Returns the merged settings of a function, with the defaults that several functions need. */
export function functionSettings(
  loaded: LoadedConfig,
  name: string,
  flags: Settings,
  environment: Environment,
): Settings {
  const { directory } = loaded;
  return {
    directory,
    to: `oci:${join(directory, ".lambda-pack", name)}`,
    lockFile: join(directory, LOCK_FILE),
    ...mergeSettings(loaded, name, { table: CONFIG_TABLE, directory, flags, environment }),
  };
}

/** The cast is safe: the file's parser and `build` check every value by its option. */
function buildOptions(settings: Settings): BuildOptions {
  return pickBuildOptions(settings) as unknown as BuildOptions;
}

function named<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError(error.code, `${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** Refuses two images with the same destination: the last one would replace the other. */
function refuseSharedDestinations(functions: readonly FunctionPlan[]): void {
  const owners = new Map<string, string>();
  for (const { name, build } of functions)
    for (const { location, tags } of build.destinations)
      for (const place of placesOf(location, tags)) {
        const owner = owners.get(place);
        if (owner !== undefined)
          throw misuse(
            `${owner} and ${name} both go to ${place}`,
            "put {name} into the destination, or name another tag",
          );
        owners.set(place, name);
      }
}

function placesOf(location: ImageLocation, tags: readonly string[]): readonly string[] {
  const name = formatName(location);
  return tags.length === 0 ? [name] : tags.map((tag) => `${name}:${tag}`);
}

/**
 * Returns the settings of each function: defaults, its own, variables and options, with resolved
 * paths. Only the variables of options are read.
 * @throws CONFIG_INVALID, USAGE
 */
export function showConfig(options: FunctionsOptions): {
  readonly functions: Readonly<Record<string, Settings>>;
} {
  const {
    config: file = CONFIG_FILE,
    functions: names = [],
    options: flags = {},
    environment = process.env,
  } = options;
  const loaded = loadConfig(file);
  const functions = selectFunctions(loaded, names).map(
    (name) => [name, functionSettings(loaded, name, flags, environment)] as const,
  );
  return { functions: Object.fromEntries(functions) };
}
