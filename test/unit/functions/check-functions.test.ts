import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, checkFunctions, showConfig } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

let base: TestRegistry;
before(async () => {
  base = await TestRegistry.start();
  await publishBase(base, "lambda/nodejs", "22", lambdaBase("x86_64"));
});
after(() => base.stop());

const CONFIG = JSON.stringify({
  defaults: { base: "nodejs:22", directory: "{name}", jobs: 2, env: { A: "1" } },
  functions: { api: {}, worker: { handler: "nothing.handler", env: { B: "2" } } },
});

const root = makeTree({
  "api/index.mjs": "export const handler = () => 1;\n",
  "worker/index.mjs": "export const handler = () => 2;\n",
  "lambda-pack.jsonc": CONFIG,
});
const environment = () => ({ LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda`, HOME: temporaryDirectory() });

describe("checkFunctions", () => {
  it("checks the image of each function, and resolves their base once", async () => {
    const events: BuildEvent[] = [];
    const { functions, ok } = await checkFunctions({
      config: join(root, "lambda-pack.jsonc"),
      cacheDir: temporaryDirectory(),
      environment: environment(),
      onEvent: (event) => events.push(event),
    });
    assert.deepEqual(
      functions.map(({ name, result }) => [name, result.ok]),
      [
        ["api", true],
        ["worker", false],
      ],
    );
    assert.equal(ok, false);
    const rules = functions[1]?.result.findings
      .filter(({ severity }) => severity === "error")
      .map(({ rule }) => rule);
    assert.deepEqual(rules, ["handler"]);
    assert.equal(events.filter(({ type }) => type === "base-resolved").length, 1);
  });
});

it("checkFunctions warns of an allowed rule that a function does not break, and of no defaults", async () => {
  const tree = {
    "api/index.mjs": "export const handler = 1;\n",
    "mail/index.mjs": "export const handler = 2;\n",
  };
  const config = {
    defaults: { base: "nodejs:22", directory: "{name}", allow: ["size"] },
    functions: { api: {}, mail: { allow: ["size", "base-behind"] } },
  };
  const events: BuildEvent[] = [];
  await checkFunctions({
    config: join(makeTree({ ...tree, "lambda-pack.jsonc": JSON.stringify(config) }), "lambda-pack.jsonc"),
    ...{ cache: false, environment: environment(), onEvent: (event) => events.push(event) },
  });
  assert.deepEqual(
    events.flatMap((event) => (event.type === "warning" ? [event.message] : [])),
    ["--allow size has no effect: the image does not break that rule"],
  );
});

describe("showConfig", () => {
  it("shows what each function comes to, with paths from here", () => {
    const { functions } = showConfig({ config: join(root, "lambda-pack.jsonc"), environment: {} });
    assert.deepEqual(functions["worker"], {
      ...{ base: "nodejs:22", directory: join(root, "worker"), jobs: 2, handler: "nothing.handler" },
      ...{ env: { A: "1", B: "2" }, to: `oci:${join(root, ".lambda-pack/worker")}` },
      lockFile: join(root, "lambda-pack.lock"),
    });
  });

  it("shows a variable and an option in the place of what they win over", () => {
    const config = join(root, "lambda-pack.jsonc");
    const { functions } = showConfig({
      config,
      environment: { LAMBDA_PACK_JOBS: "9" },
      options: { level: 9 },
    });
    assert.equal(functions["api"]?.["jobs"], 9);
    assert.equal(functions["api"]?.["level"], 9);
  });
});
