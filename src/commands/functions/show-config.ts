import { CONFIG_FILE } from "../config/config-file.ts";
import { loadConfig, selectFunctions } from "../config/load.ts";
import type { Settings } from "../config/parse.ts";
import { type FunctionsOptions, functionSettings } from "./plan.ts";

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
