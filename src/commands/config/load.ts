import { dirname } from "node:path";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { LambdaPackError } from "../../errors.ts";
import { nearest, oneOf } from "../../lambda/nearest.ts";
import { CONFIG_FILE } from "./config-file.ts";
import { type ConfigFile, parseConfig } from "./parse.ts";
import { CONFIG_TABLE, FUNCTION_TABLE } from "./table.ts";

/** Bytes; a function takes some 200. */
const CONFIG_LIMIT = 4 * 1024 * 1024;

export interface LoadedConfig extends ConfigFile {
  /** As the user named it. */
  readonly file: string;
  /** Where its relative paths begin. */
  readonly directory: string;
}

/** Reads a configuration file. @throws CONFIG_INVALID naming every mistake with its line. */
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
 * The names that were asked for, in the order of the file; without names all of them. @throws USAGE
 */
export function selectFunctions(
  { functions, file }: LoadedConfig,
  names: readonly string[],
): readonly string[] {
  const all = [...functions.keys()];
  const unknown = names.find((name) => !functions.has(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, all, 1);
    throw new LambdaPackError("USAGE", `${file} has no function ${unknown}`, {
      hint:
        near.length > 0 ? `did you mean ${oneOf(near)}?` : `its functions are ${all.join(", ") || "none"}`,
    });
  }
  if (all.length === 0)
    throw new LambdaPackError("USAGE", `${file} has no functions`, {
      hint: 'add "functions": { "api": { ... } }',
    });
  return names.length === 0 ? all : all.filter((name) => names.includes(name));
}
