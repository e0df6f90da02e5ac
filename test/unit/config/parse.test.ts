import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { eventsOf, outputSchemaText } from "../../../scripts/docs/output-schema.ts";
import { parseConfig } from "../../../src/commands/config/parse.ts";
import { configSchema, schemaText } from "../../../src/commands/config/table.ts";
import type { OptionTable } from "../../../src/commands/options/read.ts";

const string = {
  expected: "a string",
  schema: { type: "string" },
  parse: (value: unknown) => (typeof value === "string" ? value : undefined),
};
const number = {
  expected: "a number",
  schema: { type: "number" },
  parse: (value: unknown) => (typeof value === "number" ? value : undefined),
};
const table: OptionTable = {
  directory: { summary: "where the code is", type: string },
  handler: { summary: "what Lambda calls", type: string },
  jobs: { summary: "how many at once", type: number },
};

const { jobs: _, ...own } = table;

const read = (text: string) => parseConfig(text, "lambda-pack.jsonc", { defaults: table, functions: own });

describe("parseConfig", () => {
  it("reads defaults and functions, with comments and trailing commas", () => {
    const config = read(`\ufeff{
  // for editors
  "$schema": "./node_modules/lambda-pack/schema.json",
  "defaults": { "jobs": 2, },
  "functions": {
    "api": { "directory": "packages/api", /* ours */ "handler": "app.handler" },
    "worker": {},
  },
}`);
    assert.deepEqual(config.defaults, { jobs: 2 });
    assert.deepEqual(
      [...config.functions],
      [
        ["api", { directory: "packages/api", handler: "app.handler" }],
        ["worker", {}],
      ],
    );
  });

  const WRONG: readonly (readonly [name: string, text: string, message: string, hint: string | undefined])[] =
    [
      [
        "an unknown key, with its line and the nearest name",
        '{\n  "functions": {\n    "api": { "handlr": "a.b" }\n  }\n}',
        'lambda-pack.jsonc:3:14: api has the key "handlr", which is not known',
        "did you mean handler?",
      ],
      [
        "an unknown key of the file",
        '{ "function": {} }',
        'lambda-pack.jsonc:1:3: the file has the key "function", which is not known',
        "did you mean functions?",
      ],
      [
        "a value of another type",
        '{ "defaults": {\n"jobs": "2" } }',
        'lambda-pack.jsonc:2:9: jobs should be a number, not "2"',
        undefined,
      ],
      [
        "a key that is there twice",
        '{ "functions": { "a": {},\n "a": {} } }',
        "lambda-pack.jsonc:2:2: functions has the key a twice",
        "remove one of them",
      ],
      [
        "a key of the whole run for one function",
        '{ "functions": { "a": { "jobs": 2 } } }',
        'lambda-pack.jsonc:1:25: a has the key "jobs", which is not known',
        "the keys are directory, handler",
      ],
      ["a syntax error", '{ "functions": {\n "a" {} } }', "lambda-pack.jsonc:2:6: colon expected", undefined],
      [
        "a list where an object belongs",
        "[]",
        "lambda-pack.jsonc:1:1: the file should be an object",
        undefined,
      ],
      [
        "a name with a slash",
        '{ "functions": { "a/b": {} } }',
        'lambda-pack.jsonc:1:25: "a/b" is not a name for a function',
        "use letters, digits, ., _ and -",
      ],
      [
        "a key that JavaScript's objects inherit",
        '{ "__proto__": {} }',
        'lambda-pack.jsonc:1:3: the file has the key "__proto__", which is not known',
        "the keys are $schema, defaults, functions",
      ],
    ];
  for (const [name, text, message, hint] of WRONG)
    it(`refuses ${name}`, () => {
      assert.throws(() => read(text), { code: "CONFIG_INVALID", message, hint });
    });

  it("refuses an empty file", () => {
    assert.throws(() => read(""), { code: "CONFIG_INVALID" });
  });

  it("names every mistake at once", () => {
    assert.throws(() => read('{ "defaults": { "jobs": true, "hndler": "" } }'), {
      message: /^lambda-pack\.jsonc:1:\d+: .*\nlambda-pack\.jsonc:1:\d+: /,
    });
  });
});

it("output-schema.json is what scripts/docs/write.ts writes, with every event of events.ts", () => {
  const text = outputSchemaText();
  assert.equal(readFileSync(new URL("../../../output-schema.json", import.meta.url), "utf8"), text);
  const source = readFileSync(new URL("../../../src/events.ts", import.meta.url), "utf8");
  const types = source.match(/readonly type: "[^"]+";/g) ?? [];
  assert.equal(eventsOf(source).length, types.length);
});

describe("schema.json", () => {
  it("schema.json is what scripts/docs/write.ts writes", () => {
    assert.equal(readFileSync(new URL("../../../schema.json", import.meta.url), "utf8"), schemaText());
  });

  it("schema.json has no key that only a program can pass, and no key of the whole run for a function", () => {
    const { definitions } = JSON.parse(schemaText());
    assert.ok("jobs" in definitions.defaults.properties && "handler" in definitions.function.properties);
    for (const key of ["onEvent", "signal", "environment"])
      assert.ok(!(key in definitions.defaults.properties), key);
    assert.ok(!("jobs" in definitions.function.properties));
  });
});

describe("configSchema", () => {
  it("configSchema has every key of the table with its type, and no other", () => {
    const schema: unknown = configSchema({ defaults: table, functions: own });
    const { defaults: settings, function: one } = (
      schema as {
        definitions: {
          defaults: { properties: object; additionalProperties: boolean };
          function: { properties: object };
        };
      }
    ).definitions;
    assert.equal(settings.additionalProperties, false);
    assert.deepEqual(settings.properties, {
      directory: { description: "where the code is", type: "string" },
      handler: { description: "what Lambda calls", type: "string" },
      jobs: { description: "how many at once", type: "number" },
    });
    assert.deepEqual(Object.keys(one.properties), ["directory", "handler"]);
  });
});
