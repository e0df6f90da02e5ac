import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { LambdaPackError } from "../../errors.ts";

/**
 * The variables of `--env-file` and `--env`: a later file wins over an earlier one, `env` over all.
 * @throws USAGE for a file that cannot be read.
 */
export function mergeVariables(
  env: Readonly<Record<string, string>>,
  files: readonly string[],
): Readonly<Record<string, string>> {
  return Object.assign({}, ...files.map(readVariables), env) as Record<string, string>;
}

function readVariables(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LambdaPackError("USAGE", `the file of variables ${file} cannot be read`, { cause });
  }
}
