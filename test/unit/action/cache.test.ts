import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { buildAction } from "../../../scripts/build.ts";
import { ActionsCache } from "../../support/http/actions-cache.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { tryRun } from "../../support/run.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const bundle = join(temporaryDirectory(), "dist");
let registry: TestRegistry;
let service: ActionsCache;
before(async () => {
  await buildAction(bundle);
  service = await ActionsCache.start();
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.13", lambdaBase());
});
after(() => {
  service.stop();
  return registry.stop();
});

const APP = { "app.py": "def handler(event, context):\n    return event\n", "requirements.txt": "" };

/** Runs a job with a step of the action, on a new machine whose cache directory has the same path. */
async function job(files = APP, inputs: Readonly<Record<string, string>> = {}, env = {}) {
  const workspace = makeTree(files);
  const machine = makeTree({ output: "" });
  const all = {
    base: "python:3.13",
    to: `oci:${machine}/image`,
    cache: "true",
    "cache-dir": cache,
    ...inputs,
  };
  const variables = Object.entries(all).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const { status, stderr, stdout } = await tryRun(process.execPath, [join(bundle, "main.js")], {
    cwd: workspace,
    env: {
      PATH: process.env["PATH"],
      ...{ GITHUB_ACTIONS: "true", CI: "true", GITHUB_OUTPUT: join(machine, "output") },
      ...{ GITHUB_WORKSPACE: workspace, RUNNER_TEMP: machine, HOME: machine, DOCKER_CONFIG: machine },
      ...{
        ACTIONS_CACHE_SERVICE_V2: "true",
        ACTIONS_RESULTS_URL: `${service.url}/`,
        ACTIONS_RUNTIME_TOKEN: "t",
      },
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      ...Object.fromEntries(variables),
      ...env,
    },
  });
  return { status, stderr, stdout, outputs: readFileSync(join(machine, "output"), "utf8") };
}

let cache = "";

describe("the input cache of the GitHub Action", () => {
  it("a job restores the cache of the one before, which it finds by the lock files and the base", async () => {
    cache = join(temporaryDirectory(), "first");
    const first = await job();
    assert.equal(first.status, 0, first.stderr);
    assert.match(first.stderr, / built/);
    assert.equal(first.outputs.split("\n")[0], `cache-dir=${cache}`);
    const [key, ...others] = [...service.entries.keys()];
    assert.match(key ?? "", new RegExp(`^lambda-pack-1-${process.platform}-[0-9a-f]{16}-[0-9a-f]{16}$`));
    assert.deepEqual(others, []);

    rmSync(cache, { recursive: true });
    const before = registry.seen("get blob").length;
    assert.ok(before > 0);
    const second = await job();
    assert.equal(second.status, 0, second.stderr);
    assert.equal(registry.seen("get blob").length, before, "the base is in the restored cache");
    assert.equal(service.entries.size, 1, "an unchanged key is not saved again");

    const changed = await job({ ...APP, "requirements.txt": "# other\n" });
    assert.equal(changed.status, 0, changed.stderr);
    assert.equal(service.entries.size, 2);
  });

  it("a cache service that fails costs a warning, and the image is built", async () => {
    cache = join(temporaryDirectory(), "second");
    service.refuses = true;
    const { status, stdout, stderr } = await job();
    service.refuses = false;
    assert.equal(status, 0, stderr);
    assert.match(stdout + stderr, /::warning.*(?:Failed to (?:restore|save)|the cache was not)/);
  });

  it("a runner without a cache service is warned of", async () => {
    cache = join(temporaryDirectory(), "third");
    const { status, stderr } = await job(APP, {}, { ACTIONS_RESULTS_URL: "" });
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /::warning title=lambda-pack::cache has no effect: this runner has no cache service/,
    );
  });

  it("cache beside no-cache is refused before anything is built", async () => {
    cache = join(temporaryDirectory(), "fourth");
    const { status, stderr } = await job(APP, { "no-cache": "true" });
    assert.equal(status, 2);
    assert.match(stderr, /cache has no effect with no-cache/);
    assert.equal(existsSync(cache), false);
  });
});
