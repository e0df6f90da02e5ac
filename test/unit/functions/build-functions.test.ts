import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type BuildEvent,
  type BuildFunctionsOptions,
  buildFunctions,
  FunctionsError,
} from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, noise, type Tree, temporaryDirectory } from "../../support/trees.ts";

const DEPENDENCY = noise(200_000);

/** A directory with functions that have one dependency in common. */
function project(names: readonly string[], config: object, more: Tree = {}): string {
  const trees = names.map((name) => ({
    [`${name}/app.mjs`]: `export const handler = () => ${JSON.stringify(name)};\n`,
    [`${name}/node_modules/shared/index.js`]: DEPENDENCY,
    [`${name}/node_modules/shared/package.json`]: '{"name":"shared","version":"1.0.0"}',
  }));
  return makeTree({ ...Object.assign({}, ...trees), "lambda-pack.jsonc": JSON.stringify(config), ...more });
}

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
});
after(() => registry.stop());
beforeEach(async () => {
  await registry.stop();
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"));
});

interface Ran {
  readonly events: readonly BuildEvent[];
  readonly names: readonly string[];
  readonly references: readonly string[];
}

async function run(root: string, more: Partial<BuildFunctionsOptions> = {}): Promise<Ran> {
  const events: BuildEvent[] = [];
  const { functions } = await buildFunctions({
    config: join(root, "lambda-pack.jsonc"),
    cacheDir: join(root, ".cache"),
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
    onEvent: (event) => events.push(event),
    ...more,
  });
  const references = functions.map(({ result }) => result.reference);
  return { events, names: functions.map(({ name }) => name), references };
}

const packed = ({ events }: Ran) =>
  events.filter((event) => event.type === "layer-ready" && event.how === "built" && event.name === "deps")
    .length;
const blobs = ({ events }: Ran, how: string) =>
  events.flatMap((event) => (event.type === "blob-done" && event.how === how ? [event.size] : []));

describe("buildFunctions", () => {
  const NAMES = ["api", "worker", "mail"];
  const functions = Object.fromEntries(NAMES.map((name) => [name, {}]));
  const config = (to: string) => ({ defaults: { base: "nodejs:22", directory: "{name}", to }, functions });

  it("packs a layer that all functions have once, and sends it once to one repository", async () => {
    const ran = await run(project(NAMES, config(`${registry.host}/functions:{name}`)));
    assert.deepEqual(ran.names, NAMES);
    assert.equal(packed(ran), 1);
    assert.equal(blobs(ran, "uploaded").filter((size) => size > 100_000).length, 1);
    assert.equal(
      ran.references.filter((one) => one.startsWith(`${registry.host}/functions@sha256:`)).length,
      3,
    );
  });

  it("sends a layer that all functions have once to several repositories, which mount it", async () => {
    const ran = await run(project(NAMES, config(`${registry.host}/{name}:v1`)));
    assert.equal(packed(ran), 1);
    assert.equal(blobs(ran, "uploaded").filter((size) => size > 100_000).length, 1);
    assert.equal(blobs(ran, "mounted").filter((size) => size > 100_000).length, 2);
  });

  it("packs and sends the layer of thirty functions once", async () => {
    const names = Array.from({ length: 30 }, (_, index) => `f${index}`);
    const thirty = {
      ...config(`${registry.host}/{name}:v1`),
      functions: Object.fromEntries(names.map((name) => [name, {}])),
    };
    const ran = await run(project(names, thirty));
    assert.deepEqual(ran.names, names);
    assert.equal(packed(ran), 1);
    assert.equal(blobs(ran, "uploaded").filter((size) => size > 100_000).length, 1);
    assert.equal(blobs(ran, "mounted").filter((size) => size > 100_000).length, 29);
  });

  it("resolves a base once that all functions have", async () => {
    const ran = await run(project(NAMES, config(`${registry.host}/{name}:v1`)));
    assert.equal(ran.events.filter(({ type }) => type === "base-resolved").length, 1);
  });

  it("gives each function the digest of a build of its own", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    const together = await run(root);
    const alone = await Promise.all(
      NAMES.map((name) => run(root, { functions: [name], cacheDir: temporaryDirectory() })),
    );
    assert.deepEqual(
      together.references,
      alone.flatMap(({ references }) => references),
    );
  });

  it("builds only the functions that were named, in the order of the file", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    assert.deepEqual((await run(root, { functions: ["mail", "api"] })).names, ["api", "mail"]);
  });

  it("goes to a layout of its own for each function if no destination is given", async () => {
    const root = project(NAMES, { defaults: { base: "nodejs:22", directory: "{name}" }, functions });
    const { references } = await run(root);
    assert.deepEqual(
      references.map((one) => one.replace(/@.*/, "")),
      NAMES.map((name) => `oci:${join(root, ".lambda-pack", name)}`),
    );
  });

  it("leaves out with filterChanged what the registry has already", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    assert.deepEqual((await run(root, { filterChanged: true })).names, NAMES);
    writeFileSync(join(root, "worker/app.mjs"), "export const handler = () => 'changed';\n");
    assert.deepEqual((await run(root, { filterChanged: true })).names, ["worker"]);
    assert.deepEqual((await run(root)).names, NAMES);
  });

  it("warns of settings without effect that a function has, and of no defaults", async () => {
    const { defaults } = config(`${registry.host}/{name}:v1`);
    const root = project(NAMES, {
      defaults: { ...defaults, allow: ["handler"], exclude: ["none/**"] },
      functions: { ...functions, worker: { allow: ["handler"] } },
    });
    const warnings = (await run(root)).events.filter(({ type }) => type === "warning");
    assert.deepEqual(warnings, [
      {
        type: "warning",
        message: "--allow handler has no effect: the image does not break that rule",
        hint: "leave out --allow handler",
      },
    ]);
  });

  it("lets options win over the file, and puts the name of each function into them", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    const { references } = await run(root, { options: { to: `${registry.host}/other/{name}:v2` } });
    assert.match(references[1] ?? "", /\/other\/worker@sha256:/);
  });

  it("builds the other functions if one fails, and says which one", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    rmSync(join(root, "worker/app.mjs"));
    await assert.rejects(run(root), (error) => {
      assert.ok(error instanceof FunctionsError);
      assert.equal(error.code, "HANDLER_NOT_FOUND");
      assert.equal(error.message, "1 of 3 functions failed");
      assert.match(error.hint ?? "", /^worker: /);
      assert.deepEqual(
        error.functions.map((one) => ("error" in one ? `${one.name} failed` : one.name)),
        ["api", "worker failed", "mail"],
      );
      return true;
    });
  });

  it("checks all functions before the first request", async () => {
    const root = project(NAMES, {
      ...config(`${registry.host}/{name}:v1`),
      functions: { ...functions, gone: { directory: "gone" } },
    });
    await assert.rejects(run(root), { code: "DIRECTORY_UNREADABLE", message: /^gone: / });
    assert.equal(registry.requests.filter(({ path }) => path.includes("lambda/nodejs")).length, 0);
  });

  it("refuses two functions that go to one place", async () => {
    const root = project(NAMES, config(`${registry.host}/functions:v1`));
    await assert.rejects(run(root), {
      code: "USAGE",
      message: `api and worker both go to ${registry.host}/functions:v1`,
      hint: "put {name} into the destination, or name another tag",
    });
  });

  it("refuses a name that the file does not have, with the nearest one", async () => {
    const root = project(NAMES, config(`${registry.host}/{name}:v1`));
    await assert.rejects(run(root, { functions: ["wroker"] }), {
      code: "USAGE",
      hint: "did you mean worker?",
    });
  });

  it("refuses a mistake in the file with its line", async () => {
    const root = project(NAMES, {}, { "lambda-pack.jsonc": '{\n  "defaults": { "levl": 4 }\n}' });
    await assert.rejects(run(root), { code: "CONFIG_INVALID", message: /lambda-pack\.jsonc:2:17: .*"levl"/ });
  });
});
