import type { OptionTable } from "../options/read.ts";
import type { ConfigTables } from "./parse.ts";
import { CONFIG_TABLE, FUNCTION_TABLE } from "./table.ts";

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
