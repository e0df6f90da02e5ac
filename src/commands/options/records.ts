import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { LambdaPackError } from "../../errors.ts";
import type { Environment } from "../../session/session.ts";
import { type OptionType, text } from "./types.ts";

type TextRecord = Readonly<Record<string, string>>;

/** Defines an object of strings with names that are not empty. `bare` reads a word without `=`. */
function textRecord(
  expected: string,
  bare: (name: string, environment: Environment) => string | undefined,
): OptionType<TextRecord> {
  return {
    expected: "an object with a string for each name",
    schema: { type: "object", additionalProperties: { type: "string" } },
    parse: (value) => {
      const entries = isObject(value) ? Object.entries(value) : [["", undefined] as const];
      const texts = entries.flatMap(([name, one]) =>
        name !== "" && typeof one === "string" ? [[name, one] as const] : [],
      );
      return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
    },
    words: {
      kind: "each",
      expected,
      read: (words, environment) => {
        const pairs = words.map((word) => {
          const [name, value] = splitAtEquals(word);
          return [name, value ?? bare(name, environment)] as const;
        });
        const complete = pairs.flatMap(([name, value]) =>
          name === "" || value === undefined ? [] : [[name, value] as const],
        );
        return complete.length === pairs.length ? Object.fromEntries(complete) : undefined;
      },
    },
  };
}

/** Environment variables; on the command line `K` alone copies the caller's variable. */
export const variables: OptionType<TextRecord> = textRecord(
  "K=V, or K alone for a variable that is set here",
  (name, environment) => environment[name],
);

/** Labels; on the command line `K` alone is a label without a value, as in docker. */
export const labels: OptionType<TextRecord> = textRecord("K=V", () => "");

export interface LayerRule {
  /** The layer's name in history and reports. */
  readonly name: string;
  /** Files of the source directory, in .dockerignore syntax. */
  readonly glob: string;
}

export const layerRule: OptionType<LayerRule> = {
  expected: "an object with name and glob",
  schema: {
    type: "object",
    properties: { name: text.schema, glob: text.schema },
    required: ["name", "glob"],
    additionalProperties: false,
  },
  parse: (value) => {
    if (!isObject(value) || Object.keys(value).length !== 2) return undefined;
    const name = text.parse(value["name"]);
    const glob = text.parse(value["glob"]);
    return name !== undefined && glob !== undefined ? { name, glob } : undefined;
  },
  words: {
    kind: "last",
    expected: "NAME=GLOB, for example 'deps=node_modules/**'",
    read: ([word = ""]) => {
      const [name, glob] = splitAtEquals(word);
      return name === "" || !glob ? undefined : { name, glob };
    },
  },
};

function splitAtEquals(word: string): readonly [name: string, value: string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

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
