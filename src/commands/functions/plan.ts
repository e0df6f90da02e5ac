import { join } from "node:path";
import { LOCK_FILE } from "../../base/lock.ts";
import { LambdaPackError } from "../../errors.ts";
import { formatReference } from "../../oci/reference.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { Environment, SessionPlan } from "../../session/plan.ts";
import { type BuildOptions, pickBuildOptions } from "../build/options.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { CONFIG_FILE } from "../config/config-file.ts";
import { type LoadedConfig, loadConfig, selectFunctions } from "../config/load.ts";
import { mergeSettings } from "../config/merge.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import type { SessionOptions } from "../options/common.ts";
import { sessionPlanOf } from "../options/common.ts";

/** What every command takes that works on the functions of a configuration file. */
export interface FunctionsOptions extends SessionOptions {
  /** Default: `lambda-pack.jsonc`. */
  readonly config?: string;
  /** Names of functions. Default: all of the file. */
  readonly functions?: readonly string[];
  /**
   * Options that win over the file, for every function; `{name}` in them is the name of the
   * function.
   */
  readonly options?: Partial<BuildOptions>;
}

/** One function of the file with everything that decides its image. */
export interface FunctionPlan {
  readonly name: string;
  /** Its settings as they were merged, for what is not part of a build. */
  readonly settings: Settings;
  readonly build: BuildPlan;
}

interface FunctionsPlan {
  readonly session: SessionPlan;
  readonly functions: readonly FunctionPlan[];
}

/**
 * Checks all functions before anything is done for one of them.
 * @throws CONFIG_INVALID, USAGE, and what the options of a build throw, with the name of the
 * function.
 */
export function planFunctions(options: FunctionsOptions): FunctionsPlan {
  const { config: file = CONFIG_FILE, functions: names = [], options: flags = {}, ...own } = options;
  const loaded = loadConfig(file);
  const { environment = process.env } = own;
  const functions = selectFunctions(loaded, names).map((name) => {
    const settings = functionSettings(loaded, name, { ...flags, ...own }, environment);
    return { name, settings, build: named(name, () => parseBuildOptions(buildOptions(settings))) };
  });
  refuseSharedDestinations(functions);
  const [first] = functions;
  return { session: first?.build.session ?? sessionPlanOf(own), functions };
}

/** The merged settings of a function, with what a file with several functions needs by default. */
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

/**
 * Every value was checked by its option when the file was read, and is checked again by the build.
 */
function buildOptions(settings: Settings): BuildOptions {
  return pickBuildOptions(settings) as unknown as BuildOptions;
}

/** @throws what `work` throws, with the name of the function in front. */
function named<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LambdaPackError)) throw error;
    throw new LambdaPackError(error.code, `${name}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** Two images at one place would be the last one's. */
function refuseSharedDestinations(functions: readonly FunctionPlan[]): void {
  const owners = new Map<string, string>();
  for (const { name, build } of functions)
    for (const { location, tags } of build.destinations)
      for (const place of placesOf(location, tags)) {
        const owner = owners.get(place);
        if (owner !== undefined)
          throw new LambdaPackError("USAGE", `${owner} and ${name} both go to ${place}`, {
            hint: "put {name} into the destination, or name another tag",
          });
        owners.set(place, name);
      }
}

function placesOf(location: ImageLocation, tags: readonly string[]): readonly string[] {
  const name =
    location.kind === "registry"
      ? formatReference({ registry: location.reference.registry, repository: location.reference.repository })
      : `${location.kind}:${location.path}`;
  return tags.length === 0 ? [name] : tags.map((tag) => `${name}:${tag}`);
}
