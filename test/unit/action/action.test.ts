import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildAction } from "../../../scripts/build.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { type Ran, tryRun } from "../../support/run.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(event, context):\n    return event\n" };
const bundle = join(temporaryDirectory(), "dist");

let registry: TestRegistry;
before(async () => {
  await buildAction(bundle);
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.13", lambdaBase());
  await publishBase(registry, "lambda/python", "3.8", lambdaBase());
});
after(() => registry.stop());

interface Step extends Ran {
  readonly workspace: string;
  readonly outputs: string;
  readonly summary: string;
}

/** Runs the bundle as a runner of GitHub Actions does: in the workspace, with inputs as variables and files for what it tells. */
async function step(
  files: Tree,
  inputs: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const workspace = makeTree(files);
  const told = makeTree({ output: "", summary: "" });
  const variables = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const ran = await tryRun(process.execPath, [join(bundle, "main.js")], {
    cwd: workspace,
    env: {
      GITHUB_ACTIONS: "true",
      CI: "true",
      GITHUB_OUTPUT: join(told, "output"),
      GITHUB_STEP_SUMMARY: join(told, "summary"),
      HOME: told,
      DOCKER_CONFIG: told,
      LAMBDA_PACK_CACHE_DIR: join(told, "cache"),
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      ...Object.fromEntries(variables),
      ...env,
    },
  });
  const outputs = readFileSync(join(told, "output"), "utf8");
  return { ...ran, workspace, outputs, summary: readFileSync(join(told, "summary"), "utf8") };
}

function configOf(repository: string, tag: string) {
  const manifest = JSON.parse(String(registry.manifest(repository, tag)));
  return JSON.parse(String(registry.blob(repository, manifest.config.digest))).config;
}

describe("the GitHub Action", { concurrency: 2 }, () => {
  it("a step builds and pushes, and its outputs are the image and its digest", async () => {
    const to = `${registry.host}/outputs:v1`;
    const { status, stderr, outputs } = await step(APP, { base: "python:3.13", to });
    assert.equal(status, 0, stderr);
    const digest = registry.tag("outputs", "v1");
    const image = `${registry.host}/outputs@${digest}`;
    assert.match(outputs, /^cache-dir=\/.*\n/);
    assert.equal(
      outputs.replace(/^cache-dir=.*\n/, ""),
      `digest=${digest}\nreference=${image}\nimage=${image}\n`,
    );
  });

  it("inputs arrive as they are written, without a shell, one of a list on each line", async () => {
    const { status, stderr, workspace } = await step(
      { "my app/main.py": "def run(e, c): pass\n" },
      {
        ...{ base: "python:3.13", directory: "my app", handler: "main.run" },
        to: `${registry.host}/words:v1\n${registry.host}/words:v2`,
        tag: "v3",
        env: "A=$(touch made) `x` \"y\" 'z'\n\n  B=--json\n",
        label: "team=a; touch made",
        args: "--workdir=/var/task/$HOME\n--no-cache",
      },
    );
    assert.equal(status, 0, stderr);
    assert.deepEqual(new Set(["v1", "v2", "v3"].map((tag) => registry.tag("words", tag))).size, 1);
    const { Env, Labels, WorkingDir, Cmd } = configOf("words", "v3");
    assert.deepEqual(Env.slice(-2), ["A=$(touch made) `x` \"y\" 'z'", "B=--json"]);
    assert.deepEqual([Labels.team, WorkingDir, Cmd], ["a; touch made", "/var/task/$HOME", ["main.run"]]);
    assert.deepEqual(readdirSync(workspace), ["my app"]);
  });

  it("a warning is an annotation of the command and a finding of the job summary", async () => {
    const to = `${registry.host}/warned:v1`;
    const { status, stderr, summary } = await step(APP, { base: "python:3.8", to });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^::warning title=lambda-pack::.*python/m);
    assert.match(summary, /^## 127\\.0\\.0\\.1\\:\d+\\\/warned\\@sha256\\:[0-9a-f]{64}$/m);
    assert.match(summary, /^\| app \| built \| 1 \| \d+ B \| `sha256:[0-9a-f]{64}` \|$/m);
    assert.match(summary, /^### Findings\n\n- .*python/m);
  });

  it("a build that fails fails the step, with an error annotation and no image as output", async () => {
    const to = `${registry.host}/failed:v1`;
    const { status, stderr, outputs, summary } = await step(APP, { base: "python:3.14", to });
    assert.notEqual(status, 0);
    assert.match(stderr, /^::error title=lambda-pack [A-Z_]+::.*3\.14/m);
    assert.match(outputs, /^cache-dir=.*\n$/);
    assert.match(summary, /^## lambda-pack: the build failed\n\n.*3\\\.14/);
    assert.equal(registry.tag("failed", "v1"), undefined);
  });

  it("a switch that is neither true nor false fails the step before anything is built", async () => {
    const { status, stderr, summary } = await step(APP, { base: "python:3.13", "dry-run": "perhaps" });
    assert.equal(status, 2);
    assert.match(stderr, /^::error title=lambda-pack USAGE::the input dry-run should be true or false/m);
    assert.match(summary, /the input dry\\-run should be true or false/);
  });

  it("a switch is on with true and off with false", async () => {
    const to = `${registry.host}/switch:v1`;
    const { status, workspace } = await step(APP, {
      base: "python:3.13",
      to,
      "dry-run": "True",
      lock: "false",
    });
    assert.deepEqual([status, registry.tag("switch", "v1")], [0, undefined]);
    assert.equal(existsSync(join(workspace, "lambda-pack.lock")), false);
  });

  it("a step about the functions of a configuration file lists them in the job summary", async () => {
    const config = { defaults: { base: "python:3.13" }, functions: { api: {}, worker: {} } };
    const to = `${registry.host}/{name}:v1`;
    const files = { ...APP, "lambda-pack.jsonc": JSON.stringify(config) };
    const { status, stderr, summary } = await step(files, { all: "true", to });
    assert.equal(status, 0, stderr);
    const name = (text: string) => text.replace(/[.:/@]/g, "\\$&");
    for (const one of ["api", "worker"])
      assert.ok(
        summary.includes(`- ${one}: ${name(`${registry.host}/${one}@${registry.tag(one, "v1")}`)}\n`),
      );
  });

  it("a step builds what a Dockerfile says", async () => {
    const files = {
      ...APP,
      Dockerfile: 'FROM public.ecr.aws/lambda/python:3.13\nCOPY app.py .\nCMD ["app.handler"]\n',
    };
    const to = `${registry.host}/dockerfile:v1`;
    const { status, stderr } = await step(files, { file: "Dockerfile", to });
    assert.equal(status, 0, stderr);
    assert.deepEqual(configOf("dockerfile", "v1").Cmd, ["app.handler"]);
  });

  it("a job summary that cannot be written is a warning, and the step has its outputs", async () => {
    const to = `${registry.host}/quiet:v1`;
    const missing = { GITHUB_STEP_SUMMARY: join(temporaryDirectory(), "missing", "summary") };
    const { status, stderr, outputs } = await step(APP, { base: "python:3.13", to }, missing);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^::warning title=lambda-pack::the job summary cannot be written/m);
    assert.match(outputs, /^image=/m);
  });

  it("the bundle needs no file outside its directory", () => {
    const external = readdirSync(bundle)
      .filter((name) => name.endsWith(".js"))
      .flatMap((name) => [
        ...readFileSync(join(bundle, name), "utf8").matchAll(/^(?:import|export) [^"]*? from "([^"]+)";$/gm),
      ])
      .map(([, target = ""]) => target)
      .filter((target) => !target.startsWith("./") && !target.startsWith("node:"));
    assert.deepEqual(
      external.filter((target) => !builtinModules.includes(target)),
      [],
    );
  });
});
