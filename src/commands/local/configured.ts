import type { Environment } from "../../session/session.ts";
import { type LoadedConfig, loadConfig, selectFunctions } from "../config/load.ts";
import { mergeSettings } from "../config/merge.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import { LOCAL_OPTIONS } from "./options.ts";

/** A function of a configuration file, with the options for running it on this machine. */
export interface ConfiguredFunction {
  readonly name: string;
  readonly directory: string;
  /** The Dockerfile that builds it. */
  readonly file: string | undefined;
  readonly options: Settings;
}

/**
 * Reads functions of a configuration file. The caller's options win.
 * @param names the functions; empty: all of the file
 * @throws CONFIG_INVALID; USAGE for a name that the file does not have
 */
export function configuredFunctions(
  file: string,
  names: readonly string[],
  flags: Settings,
  environment: Environment,
): readonly ConfiguredFunction[] {
  const loaded = loadConfig(file);
  return selectFunctions(loaded, names).map((name) => configured(loaded, name, flags, environment));
}

function configured(
  loaded: LoadedConfig,
  name: string,
  flags: Settings,
  environment: Environment,
): ConfiguredFunction {
  const scope = { table: CONFIG_TABLE, directory: loaded.directory, flags, environment };
  const { directory = loaded.directory, file, ...settings } = mergeSettings(loaded, name, scope);
  // The configured architecture is the image's, but the function runs on this machine.
  const local = Object.entries({
    ...settings,
    arch: flags["arch"],
    functionName: flags["functionName"] ?? name,
  });
  const options = Object.fromEntries(local.filter(([key]) => Object.hasOwn(LOCAL_OPTIONS, key)));
  return { name, directory: String(directory), file: file === undefined ? undefined : String(file), options };
}
