import { CONFIG_FILE } from "../config/config-file.ts";
import { loadConfig, selectFunctions } from "../config/load.ts";
import type { Settings } from "../config/parse.ts";
import { type FunctionsOptions, functionSettings } from "./plan.ts";

/**
 * The settings that each function comes to: defaults, its own, variables and options, with paths as
 * a build takes them. Variables are those that an option reads; nothing else is looked at.
 * @throws CONFIG_INVALID, USAGE.
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
