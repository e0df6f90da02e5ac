import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { LambdaPackError } from "../../errors.ts";

/**
 * Merges the variables of `--env-file` and `--env`: a later file wins over an earlier one, and
 * `env` over all.
 * @throws USAGE for a file that cannot be read
 */
export function mergeVariables(
  env: Readonly<Record<string, string>>,
  files: readonly string[],
): Readonly<Record<string, string>> {
  // Object.assign would lose a variable named __proto__.
  return Object.fromEntries([...files.flatMap(readVariables), ...Object.entries(env)]);
}

function readVariables(file: string): readonly (readonly [name: string, value: string])[] {
  try {
    return Object.entries(parseEnv(readFileSync(file, "utf8"))).map(([name, value = ""]) => [name, value]);
  } catch (cause) {
    throw new LambdaPackError("USAGE", `the file of variables ${file} cannot be read`, { cause });
  }
}
