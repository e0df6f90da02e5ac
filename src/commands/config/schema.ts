import type { ConfigTable } from "./option.ts";

/** The JSON schema of lambda-pack.jsonc, for editors; made from the same table that reads the file. */
export function configSchema(table: ConfigTable): object {
  const settings = {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(table).map(([name, { summary, type }]) => [
        name,
        { description: summary, ...type.schema },
      ]),
    ),
  };
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
        $ref: "#/definitions/settings",
      },
      functions: {
        description: "the functions by name",
        type: "object",
        propertyNames: { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" },
        additionalProperties: { $ref: "#/definitions/settings" },
      },
    },
    definitions: { settings },
  };
}
