import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { describeReal } from "../../support/components/components.ts";
import { installPackages } from "../../support/components/npm-packages.ts";
import { runInWorld, startInWorld } from "../../support/ecr/run.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { PROGRAM, type Ran, tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

type Validate = ((value: unknown) => boolean) & { readonly errors?: unknown };

const ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const ROLE = "arn:aws:iam::123456789012:role/f";

describeReal("output-schema.json, by ajv", ["npm"], () => {
  const schema = JSON.parse(readFileSync(new URL("../../../output-schema.json", import.meta.url), "utf8"));
  let validatorOf: (name: string) => Validate;
  let registry: TestRegistry;
  let world: AwsWorld;
  let root: string;
  before(async () => {
    const packages = await installPackages(["ajv@8.17.1"]);
    const Ajv = createRequire(join(packages, "package.json"))("ajv");
    const ajv = new Ajv({ allErrors: true }).addSchema(schema, "output");
    validatorOf = (name) => ajv.getSchema(`output#/definitions/${encodeURIComponent(name)}`);
    registry = await TestRegistry.start();
    world = await awsWorld();
    await publishBase(registry, "lambda/nodejs", "22", lambdaBase("x86_64"));
    root = makeTree({
      "app/index.mjs": "export const handler = async () => 1;\n",
      "aws.jsonc": JSON.stringify({
        defaults: { base: "nodejs:22", directory: "app", to: `${ECR}/app:{name}`, createRepo: true },
        functions: { first: { function: "first", role: ROLE }, second: { function: "second" } },
      }),
      "docker/Dockerfile":
        'FROM public.ecr.aws/lambda/nodejs:22\nCOPY app.mjs ./\nEXPOSE 1\nCMD ["app.handler"]\n',
      "docker/app.mjs": "export const handler = async () => 1;\n",
      "lambda-pack.jsonc": JSON.stringify({
        defaults: { base: "nodejs:22" },
        functions: { app: { directory: "app", to: `${registry.host}/app:v1` }, gone: { directory: "gone" } },
      }),
    });
    await run(["build", "./app", "--to", "oci:out"]);
    await run(["build", "./app", "--to", "oci:other", "--env", "A=1"]);
    await run(["build", "./app", "--to", "oci:third", "--env", "A=2"]);
  });
  after(async () => {
    await world?.stop();
    await registry.stop();
  });

  const cache = temporaryDirectory();
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

  /** The settings of a process against the double of AWS. */
  const inWorld = () => ({
    cwd: root,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, CI: "1" },
  });
  const runWithAws = (argv: readonly string[]) => runInWorld(world, [...argv, "--json"], inWorld());
  const NEW_FUNCTION = [
    "--function",
    "f",
    "--create-repo",
    "--repo",
    "team/f",
    "--role",
    ROLE,
    "--alias",
    "live",
  ];

  /** Run in this order: each command finds what those before it made. */
  const AWS_CASES: readonly (readonly [name: string, ...argv: readonly string[]])[] = [
    ["repo create", "repo", "create", "team/app", "--expire-untagged", "14"],
    ["repo policy", "repo", "policy", "team/app", "--account", "210987654321"],
    ["repo policy", "repo", "policy", "team/app", "--remove"],
    ["repo iam", "repo", "iam", "team/app", "--for", "deploy"],
    ["deploy", "deploy", "oci:out", ...NEW_FUNCTION, "--dry-run"],
    ["deploy", "deploy", "oci:out", ...NEW_FUNCTION],
    ["push", "push", "oci:other", `${ECR}/team/f:other`],
    ["push", "push", "oci:third", `${ECR}/team/f:third`],
    ["status", "status", "f"],
    ["prune", "prune", "team/f", "--keep", "1"],
    ["deploy of functions", "deploy", "first", "--config", "aws.jsonc"],
  ];
  for (const [name, ...argv] of AWS_CASES)
    it(`fits what ${argv.join(" ")} prints with --json`, async () => {
      const { code, stdout, stderr } = await runWithAws(argv);
      assert.equal(code, 0, stderr);
      assertValid(name, JSON.parse(stdout));
    });

  it("fits what status and prune print of a function with an alias and of images to delete", async () => {
    const status = JSON.parse((await runWithAws(["status", "f"])).stdout);
    assert.deepEqual([status.versions.length, status.aliases.length, status.image.exists], [1, 1, true]);
    const pruned = JSON.parse((await runWithAws(["prune", "team/f", "--keep", "1", "--yes"])).stdout);
    assertValid("prune", pruned);
    assert.deepEqual([pruned.pruned.length, pruned.used.length, pruned.deleted], [1, 1, true]);
    const validate = validatorOf("status");
    assert.equal(validate({ ...status, versions: [{ version: 1, state: "Active" }] }), false);
  });

  it("fits a deploy of several functions of which one failed", async () => {
    const two = await runWithAws([
      "deploy",
      "oci:out",
      "--function",
      "f",
      "--function",
      "g",
      "--repo",
      "team/f",
    ]);
    const { deployments } = JSON.parse(two.stdout);
    assert.deepEqual(
      deployments.map(({ how }: { readonly how: string }) => how),
      ["unchanged", "failed"],
      two.stderr,
    );
    assertValid("deploy", JSON.parse(two.stdout));
    assert.equal(
      validatorOf("deploy")({ deployments: [{ function: "g", region: "r", how: "failed" }] }),
      false,
    );
    const all = await runWithAws(["deploy", "--all", "--config", "aws.jsonc"]);
    assertValid("deploy of functions", JSON.parse(all.stdout));
    assert.deepEqual(Object.keys(JSON.parse(all.stdout).failures), ["second"], all.stderr);
  });

  it("fits the one line that dev prints with --json when it serves", async () => {
    const argv = ["dev", "./app", "--base", "nodejs:22", "--port", "0", "--json"];
    const { child, result } = startInWorld(world, argv, inWorld());
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const { stdout, stderr } = await result;
    assert.notEqual(stdout, "", stderr);
    const served = JSON.parse(stdout);
    assertValid("dev", served);
    assert.match(served.url, /^http:\/\/127\.0\.0\.1:\d+$/);
  });

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

  it("has a definition of every command, and none that no test validates", () => {
    const validated = new Set([...Object.keys(CASES), ...AWS_CASES.map(([name]) => name), "dev"]);
    const commands = new Set([...validated].map((name) => name.split(" ")[0]));
    assert.deepEqual([...commands].sort(), COMMANDS.map(({ name }) => name).sort());
    assert.deepEqual(Object.keys(schema.definitions).sort(), [...validated, "error", "event"].sort());
  });
});
