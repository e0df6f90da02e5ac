import type { Environment } from "../../session/plan.ts";
import { CONFIG_FILE, loadConfig, selectFunctions } from "../config/load.ts";
import type { Settings } from "../config/parse.ts";
import { CONFIG_TABLE } from "../config/table.ts";
import { type FunctionsOptions, functionSettings } from "./plan.ts";

/**
 * The settings that each function comes to: defaults, its own, variables and options, with paths as a build takes them.
 * Variables are those that an option reads; nothing else is looked at.
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
    (name) => [name, withVariables(functionSettings(loaded, name, flags, environment), environment)] as const,
  );
  return { functions: Object.fromEntries(functions) };
}

/** With the values of variables, which a build reads itself. */
function withVariables(settings: Settings, environment: Environment): Settings {
  const values = Object.entries(CONFIG_TABLE).flatMap(([key, { variable, type }]) => {
    const text = variable === undefined ? undefined : environment[variable];
    return text ? [[key, type.parseText?.(text) ?? text] as const] : [];
  });
  return { ...Object.fromEntries(values), ...settings };
}
