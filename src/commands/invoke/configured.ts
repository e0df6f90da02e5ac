import { configuredFunctions } from "../local/configured.ts";
import { readSessionOptions } from "../options/common.ts";
import { INVOKE_OPTIONS, type InvokeOptions } from "./options.ts";

/**
 * Merges the settings of the function that `source` names in the configuration file with the
 * options of the caller.
 * @throws CONFIG_INVALID, USAGE
 */
export function withConfiguration(given: InvokeOptions): InvokeOptions {
  const { config = "", source, ...flags } = given;
  const { session } = readSessionOptions("invoke", INVOKE_OPTIONS, given);
  const [found] = configuredFunctions(config, [source], flags, session.environment);
  const { directory = source, file, options = {} } = found ?? {};
  return { ...flags, ...options, ...(file !== undefined && { file }), source: directory };
}
