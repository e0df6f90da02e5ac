import { dirname } from "node:path";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import { nearest, oneOf } from "../../lambda/nearest.ts";
import { CONFIG_FILE } from "../options/common.ts";
import { type ConfigFile, parseConfig } from "./parse.ts";
import { CONFIG_TABLE, FUNCTION_TABLE } from "./table.ts";

/** Bytes; a function takes about 200. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

export interface LoadedConfig extends ConfigFile {
  /** The path as the user wrote it. */
  readonly file: string;
  /** The directory that relative paths refer to. */
  readonly directory: string;
}

/** Reads a configuration file. @throws CONFIG_INVALID with every mistake and its line */
export function loadConfig(file: string): LoadedConfig {
  const bytes = readConfigurationFile(file, {
    maxBytes: CONFIG_LIMIT,
    code: "CONFIG_INVALID",
    hint: "name a readable regular file with --config",
  });
  if (!bytes)
    throw new LambdaPackError("CONFIG_INVALID", `${file} does not exist`, {
      hint: `write ${CONFIG_FILE}, or name the file with --config`,
    });
  const config = parseConfig(bytes.toString("utf8"), file, {
    defaults: CONFIG_TABLE,
    functions: FUNCTION_TABLE,
  });
  return { ...config, file, directory: dirname(file) };
}

/**
 * Returns the requested names in the order of the file; all of them if none is given.
 * @throws USAGE
 */
export function selectFunctions(
  { functions, file }: LoadedConfig,
  names: readonly string[],
): readonly string[] {
  const all = [...functions.keys()];
  const unknown = names.find((name) => !functions.has(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, all, 1);
    throw misuse(
      `${file} has no function ${unknown}`,
      near.length > 0 ? `did you mean ${oneOf(near)}?` : `its functions are ${all.join(", ") || "none"}`,
    );
  }
  if (all.length === 0) throw misuse(`${file} has no functions`, 'add "functions": { "api": { ... } }');
  return names.length === 0 ? all : all.filter((name) => names.includes(name));
}
