import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { lambdaBase, publishBase } from "../support/base.ts";
import { describeReal } from "../support/components.ts";
import { installPackages } from "../support/npm-packages.ts";
import { TestRegistry } from "../support/registry.ts";
import { PROGRAM, type Ran, tryRun } from "../support/run.ts";
import { makeTree, temporaryFolder } from "../support/trees.ts";

type Validate = ((value: unknown) => boolean) & { readonly errors?: unknown };

/** Commands that need an account: their output has no schema yet. */
const WITHOUT_SCHEMA = ["deploy", "status", "prune", "repo", "dev"];

describeReal("output-schema.json, by ajv", ["npm"], () => {
  const schema = JSON.parse(readFileSync(new URL("../../output-schema.json", import.meta.url), "utf8"));
  let validatorOf: (name: string) => Validate;
  let registry: TestRegistry;
  let root: string;
  before(async () => {
    const packages = await installPackages(["ajv@8.17.1"]);
    const Ajv = createRequire(join(packages, "package.json"))("ajv");
    const ajv = new Ajv({ allErrors: true }).addSchema(schema, "output");
    validatorOf = (name) => ajv.getSchema(`output#/definitions/${encodeURIComponent(name)}`);
    registry = await TestRegistry.start();
    await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"));
    root = makeTree({
      "app/index.mjs": "export const handler = async () => 1;\n",
      "docker/Dockerfile":
        'FROM public.ecr.aws/lambda/nodejs:22\nCOPY app.mjs ./\nEXPOSE 1\nCMD ["app.handler"]\n',
      "docker/app.mjs": "export const handler = async () => 1;\n",
      "lambda-pack.jsonc": JSON.stringify({
        defaults: { base: "nodejs:22" },
        functions: { app: { directory: "app", to: `${registry.host}/app:v1` }, gone: { directory: "gone" } },
      }),
    });
    await run(["build", "./app", "--to", "oci:other", "--env", "A=1"]);
  });
  after(() => registry.stop());

  const cache = temporaryFolder();
  function run(argv: readonly string[], directory = ""): Promise<Ran> {
    return tryRun(process.execPath, [...PROGRAM, ...argv], {
      cwd: join(root, directory),
      env: {
        LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
        LAMBDA_PACK_CACHE_DIR: cache,
        HOME: cache,
        CI: "1",
      },
    });
  }

  function assertValid(name: string, value: unknown): void {
    const validate = validatorOf(name);
    assert.ok(validate, `${name} has no schema`);
    assert.ok(validate(value), `${JSON.stringify(validate.errors)}\n${JSON.stringify(value)}`);
  }

  const CASES: Readonly<Record<string, readonly [argv: readonly string[], directory?: string]>> = {
    build: [["build", "./app", "--to", "oci:out"]],
    "build of functions": [["build", "app"]],
    push: [["push", "oci:out", "oci:copy"]],
    check: [["check", "oci:out"]],
    "check of functions": [["check", "app"]],
    inspect: [["inspect", "oci:out"]],
    diff: [["diff", "oci:out", "oci:other"]],
    bases: [["bases", "nodejs"]],
    "cache info": [["cache", "info"]],
    "cache prune": [["cache", "prune", "--keep", "1GB"]],
    "cache verify": [["cache", "verify"]],
    config: [["config"]],
    import: [["import", "Dockerfile"], "docker"],
    invoke: [["invoke", "app", "--base", "nodejs:22"]],
    "invoke --list-samples": [["invoke", "--list-samples"]],
    completion: [["completion", "zsh"]],
    version: [["version"]],
  };
  for (const [name, [argv, directory]] of Object.entries(CASES)) {
    it(`fits what ${name} prints with --json`, async () => {
      const { stdout, stderr } = await run([...argv, "--json"], directory);
      assert.notEqual(stdout, "", stderr);
      assertValid(name, JSON.parse(stdout));
    });
  }

  it("fits a failed command, and functions of which one failed", async () => {
    const failed = await run(["build", "./gone", "--json"]);
    assertValid("error", JSON.parse(failed.stderr));
    const { functions } = JSON.parse(readFileSync(join(root, "lambda-pack.jsonc"), "utf8"));
    const broken = {
      ...functions,
      app: { ...functions.app, handler: "nothing.here" },
      gone: { directory: "docker", handler: "app.handler" },
    };
    writeFileSync(
      join(root, "broken.jsonc"),
      JSON.stringify({ defaults: { base: "nodejs:22" }, functions: broken }),
    );
    const some = await run(["build", "--all", "--config", "broken.jsonc", "--json"]);
    assertValid("build of functions", JSON.parse(some.stdout));
    assert.deepEqual(Object.keys(JSON.parse(some.stdout).failures), ["app"]);
  });

  it("fits each event that a build and a push tell with --progress json, and refuses others", async () => {
    const built = await run(["build", "app", "--no-cache", "--verbose", "--progress", "json"]);
    const pushed = await run([
      "push",
      "oci:out",
      `${registry.host}/events:v1`,
      "--verbose",
      "--progress",
      "json",
    ]);
    const events = `${built.stderr}${pushed.stderr}`
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of events) assertValid("event", event);
    const types = new Set(events.map(({ type }) => type));
    for (const type of ["base-resolved", "layer-ready", "blob-done", "image-published", "request"])
      assert.ok(types.has(type), type);
    const validate = validatorOf("event");
    assert.equal(validate({ type: "layer-redy" }), false);
    assert.equal(validate({ ...events.find(({ type }) => type === "blob-done"), size: "1" }), false);
  });

  it("has a definition of every command but those that need an account or serve", () => {
    const described = new Set([...Object.keys(CASES)].map((name) => name.split(" ")[0]));
    const missing = COMMANDS.map(({ name }) => name).filter((name) => !described.has(name));
    assert.deepEqual(missing.sort(), [...WITHOUT_SCHEMA].sort());
    assert.deepEqual(Object.keys(schema.definitions), [...Object.keys(CASES), "error", "event"]);
  });
});
