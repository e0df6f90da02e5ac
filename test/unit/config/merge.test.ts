import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type MergeScope, mergeSettings } from "../../../src/commands/config/merge.ts";
import type { OptionTable } from "../../../src/commands/options/read.ts";
import { textOrList, wholeNumber } from "../../../src/commands/options/types.ts";

const type = { expected: "anything", schema: {}, parse: (value: unknown) => value ?? undefined };
const jobs = wholeNumber(1, 9);
const table: OptionTable = Object.fromEntries(
  ["directory", "to", "env", "level", "tags", "base"].map((name) => [name, { summary: name, type }]),
);
const withVariable: OptionTable = {
  ...table,
  jobs: { summary: "jobs", type: jobs, variable: "LAMBDA_PACK_JOBS" },
};

const scope = (changes: Partial<MergeScope> = {}): MergeScope => ({
  table: withVariable,
  directory: "infra",
  flags: {},
  environment: {},
  ...changes,
});

describe("mergeSettings", () => {
  it("takes a flag before the function, and the function before the defaults", () => {
    const config = { defaults: { level: 1, jobs: 1 }, functions: new Map([["api", { level: 2 }]]) };
    assert.deepEqual(mergeSettings(config, "api", scope()), { level: 2, jobs: 1 });
    assert.deepEqual(mergeSettings(config, "api", scope({ flags: { level: 3 } })), { level: 3, jobs: 1 });
  });

  it("takes what is composed relative to the configuration file, and leaves ARNs and registries as they are", () => {
    const config = {
      defaults: {
        add: "shared:/opt/shared",
        extension: ["probe"],
        lambdaLayer: ["layer.zip", "arn:aws:lambda:eu-west-1:123456789012:layer:x:1"],
        copyFrom: ["oci:tools:v1:/bin/x:/opt/x", "r.example/x:1:/x:/opt/y"],
      },
      functions: new Map(),
    };
    assert.deepEqual(mergeSettings(config, undefined, scope()), {
      add: "infra/shared:/opt/shared",
      extension: ["infra/probe"],
      lambdaLayer: ["infra/layer.zip", "arn:aws:lambda:eu-west-1:123456789012:layer:x:1"],
      copyFrom: ["oci:infra/tools:v1:/bin/x:/opt/x", "r.example/x:1:/x:/opt/y"],
    });
  });

  it("takes the files of envFile relative to the configuration file", () => {
    const config = {
      defaults: { envFile: "all.env" },
      functions: new Map([["api", { envFile: ["a.env"] }]]),
    };
    assert.deepEqual(mergeSettings(config, "api", scope()), { envFile: ["infra/a.env"] });
    assert.deepEqual(mergeSettings(config, "other", scope()), { envFile: "infra/all.env" });
  });

  it("takes a variable before the function, and a flag before the variable", () => {
    const config = { defaults: {}, functions: new Map([["api", { jobs: 2 }]]) };
    const environment = { LAMBDA_PACK_JOBS: "9" };
    assert.deepEqual(mergeSettings(config, "api", scope({ environment })), { jobs: 9 });
    assert.deepEqual(mergeSettings(config, "api", scope({ environment, flags: { jobs: 3 } })), { jobs: 3 });
    assert.deepEqual(mergeSettings(config, "api", scope({ environment: { LAMBDA_PACK_JOBS: "" } })), {
      jobs: 2,
    });
  });

  it("refuses a variable with a value that is not valid", () => {
    const config = { defaults: {}, functions: new Map([["api", {}]]) };
    const wrong = scope({ environment: { LAMBDA_PACK_JOBS: "many" } });
    assert.throws(() => mergeSettings(config, "api", wrong), {
      code: "USAGE",
      message: /^LAMBDA_PACK_JOBS should be/,
    });
  });

  it("puts the name of the function into a variable", () => {
    const config = { defaults: {}, functions: new Map([["api", {}]]) };
    const to = { ...withVariable, to: { summary: "to", type: textOrList, variable: "LAMBDA_PACK_TO" } };
    const merged = mergeSettings(
      config,
      "api",
      scope({ table: to, environment: { LAMBDA_PACK_TO: "r.example.com/{name}:v1" } }),
    );
    assert.deepEqual(merged, { to: ["r.example.com/api:v1"] });
  });

  it("joins environment variables name by name, and replaces lists", () => {
    const config = {
      defaults: { env: { A: "1", B: "1" }, tags: ["a"] },
      functions: new Map([["api", { env: { B: "2" }, tags: ["b"] }]]),
    };
    const merged = mergeSettings(config, "api", scope({ flags: { env: { C: "3" } } }));
    assert.deepEqual(merged, { env: { A: "1", B: "2", C: "3" }, tags: ["b"] });
  });

  it("resolves paths of the file from its directory, and those of flags not", () => {
    const config = {
      defaults: { base: "oci-archive:base.tar" },
      functions: new Map([["api", { directory: "../api", to: ["oci:out", "registry.example.com/a:v1"] }]]),
    };
    assert.deepEqual(mergeSettings(config, "api", scope({ flags: { level: 1 } })), {
      base: "oci-archive:infra/base.tar",
      directory: "api",
      to: ["oci:infra/out", "registry.example.com/a:v1"],
      level: 1,
    });
    assert.deepEqual(mergeSettings(config, "api", scope({ flags: { to: "oci:x" } }))["to"], "oci:x");
    assert.deepEqual(
      mergeSettings({ defaults: { directory: "/abs" }, functions: new Map() }, undefined, scope()),
      { directory: "/abs" },
    );
  });

  it("puts the name of the function into defaults and flags", () => {
    const config = { defaults: { directory: "packages/{name}" }, functions: new Map([["api", {}]]) };
    const merged = mergeSettings(config, "api", scope({ flags: { to: ["r.example.com/{name}:v1"] } }));
    assert.deepEqual(merged, { directory: "infra/packages/api", to: ["r.example.com/api:v1"] });
  });
});
