import { basename, resolve } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import type { Environment } from "../../session/plan.ts";
import { loadConfig } from "../config/load.ts";
import { mergeSettings } from "../config/merge.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import type { OptionTable } from "../options/read.ts";
import { functionSettings } from "./plan.ts";

export interface DirectoryScope {
  /** The configuration file. */
  readonly file: string;
  /** The options of the command; settings of other commands are left out. */
  readonly table: OptionTable;
  /** Options that win over the file. */
  readonly flags: Settings;
  readonly environment: Environment;
}

/**
 * Returns the options for a directory from a configuration file: those of the function with this
 * directory, else the defaults, in which `{name}` is the name of the directory.
 * @throws CONFIG_INVALID; USAGE if several functions have this directory
 */
export function directorySettings(
  directory: string,
  { file, table, flags, environment }: DirectoryScope,
): Settings {
  const loaded = loadConfig(file);
  const settingsOf = (name: string) => functionSettings(loaded, name, flags, environment);
  const owners = [...loaded.functions.keys()].filter(
    (name) => resolve(String(settingsOf(name)["directory"])) === resolve(directory),
  );
  const [name, ...others] = owners;
  if (name !== undefined && others.length > 0)
    throw new LambdaPackError("USAGE", `${directory} is the directory of ${owners.join(", ")} in ${file}`, {
      hint: `name one of the functions, for example ${name}`,
    });
  const defaults = { ...loaded, functions: new Map() };
  const scope = { table: CONFIG_TABLE, directory: loaded.directory, flags, environment };
  const settings =
    name === undefined ? mergeSettings(defaults, basename(resolve(directory)), scope) : settingsOf(name);
  const own = Object.entries(settings).filter(([key]) => key !== "directory" && Object.hasOwn(table, key));
  return Object.fromEntries(own);
}
