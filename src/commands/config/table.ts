import { BUILD_OPTIONS } from "../build/options.ts";
import { DEPLOY_OPTIONS } from "../deploy/options.ts";
import { SESSION_OPTIONS } from "../options/common.ts";
import type { OptionTable } from "../options/read.ts";
import type { ConfigTables } from "./parse.ts";

const { function: FUNCTION, role, memory, timeout, ephemeralStorage } = DEPLOY_OPTIONS;
const { region, repo, publish, alias, weight, warm, resourceTag } = DEPLOY_OPTIONS;

/** The settings of a function, other than its image. */
export const FUNCTION_SETTINGS = {
  ...{ function: FUNCTION, role, memory, timeout, ephemeralStorage },
  ...{ region, repo, publish, alias, weight, warm, resourceTag },
} satisfies OptionTable;

/** Options that only a program can pass. */
const PROGRAM_ONLY = new Set(["environment", "onEvent", "ownFiles", "signal"]);

/** The valid keys of `defaults` in the configuration file. */
export const CONFIG_TABLE: OptionTable = Object.fromEntries(
  Object.entries({ ...BUILD_OPTIONS, ...FUNCTION_SETTINGS }).filter(([name]) => !PROGRAM_ONLY.has(name)),
);

/** The valid keys of a function; options of the whole run are not among them. */
export const FUNCTION_TABLE: OptionTable = Object.fromEntries(
  Object.entries(CONFIG_TABLE).filter(([name]) => !Object.hasOwn(SESSION_OPTIONS, name)),
);

/**
 * Returns the JSON schema of lambda-pack.jsonc for editors, from the table that also parses the
 * file.
 */
export function configSchema({ defaults, functions }: ConfigTables): object {
  const settings = (table: OptionTable) => ({
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(table).map(([name, { summary, type }]) => [
        name,
        { description: summary, ...type.schema },
      ]),
    ),
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "lambda-pack.jsonc",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      defaults: {
        description:
          "settings of every function that does not have its own; {name} is the name of the function",
        $ref: "#/definitions/defaults",
      },
      functions: {
        description: "the functions by name",
        type: "object",
        propertyNames: { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
        additionalProperties: { $ref: "#/definitions/function" },
      },
    },
    definitions: { defaults: settings(defaults), function: settings(functions) },
  };
}

/** Returns the text of schema.json for the keys of this version. */
export function schemaText(): string {
  return `${JSON.stringify(configSchema({ defaults: CONFIG_TABLE, functions: FUNCTION_TABLE }), undefined, 2)}\n`;
}
