import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildOptions, type BuildResult, build } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(e, c): return e\n", "node_modules/a/index.js": "exports.a = 1\n" };
const ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1";

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
});
after(() => registry.stop());

let count = 0;
const newTarget = () => `${registry.host}/combination-${++count}:v1`;
const newOut = () => join(temporaryDirectory(), "out");

/** Builds that share a cache, each of its own directory with the same files. */
function machine() {
  const cacheDirectory = join(temporaryDirectory(), "cache");
  return (more: Partial<BuildOptions> = {}) =>
    build({
      directory: makeTree(APP),
      base: "python:3.12",
      to: `oci:${newOut()}`,
      cacheDir: cacheDirectory,
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
      ...more,
    });
}

const howsOf = ({ layers }: BuildResult) => layers.flatMap(({ how }) => (how === "base" ? [] : how));

/** The media types of an image in a layout: its manifest's, its config's and its layers'. */
function typesIn(out: string, { digest }: BuildResult): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(out, "blobs", digest.replace(":", "/")), "utf8"));
  const parts: readonly { readonly mediaType: string }[] = [manifest.config, ...manifest.layers];
  return [manifest.mediaType, ...parts.map(({ mediaType }) => mediaType)];
}

describe("build with two options that share state", () => {
  for (const [format, prefix] of [
    ["oci", "application/vnd.oci."],
    ["docker", "application/vnd.docker."],
  ] as const) {
    it(`build with --format ${format} reuses layers of an image of the other format and mixes no types`, async () => {
      const other = format === "oci" ? "docker" : "oci";
      const previous = newTarget();
      await machine()({ to: previous, format: other });
      const out = newOut();
      const result = await machine()({ to: `oci:${out}`, format, reuseFrom: previous });
      assert.deepEqual(howsOf(result), ["reused", "reused"]);
      assert.deepEqual(
        typesIn(out, result).filter((type) => !type.startsWith(prefix)),
        [],
      );
      assert.equal(result.digest, (await machine()({ format, cache: false })).digest);
    });

    it(`build with --format ${format} uses layers that the cache has from the other format`, async () => {
      const run = machine();
      await run({ format: format === "oci" ? "docker" : "oci" });
      const out = newOut();
      const result = await run({ to: `oci:${out}`, format });
      assert.deepEqual(howsOf(result), ["cached", "cached"]);
      assert.equal(result.digest, (await machine()({ format, cache: false })).digest);
      assert.ok(typesIn(out, result).every((type) => type.startsWith(prefix)));
    });
  }

  it("build for another architecture uses the cached layers of the app over the other base", async () => {
    const run = machine();
    const first = await run();
    const second = await run({ arch: "arm64" });
    assert.deepEqual(howsOf(second), ["cached", "cached"]);
    assert.equal(second.platform, "linux/arm64");
    assert.notEqual(second.layers[0]?.digest, first.layers[0]?.digest);
    assert.equal(second.digest, (await machine()({ arch: "arm64", cache: false })).digest);
  });

  it("build with --dry-run and --reuse-from reuses layers and sends nothing", async () => {
    const previous = newTarget();
    const { digest } = await machine()({ to: previous });
    const to = newTarget();
    const result = await machine()({ to, reuseFrom: previous, dryRun: true });
    assert.deepEqual(
      [result.digest, howsOf(result), result.destinations],
      [digest, ["reused", "reused"], []],
    );
    assert.equal(registry.tag(to.slice(registry.host.length + 1, -3), "v1"), undefined);
  });

  it("build with --dry-run fills the cache, and the next build sends what it packed", async () => {
    const run = machine();
    const planned = await run({ dryRun: true });
    const out = newOut();
    const sent = await run({ to: `oci:${out}` });
    assert.deepEqual([sent.digest, howsOf(sent)], [planned.digest, ["cached", "cached"]]);
    assert.equal(existsSync(join(out, "blobs", sent.digest.replace(":", "/"))), true);
  });

  it("build with --dry-run gives the reference under which the image would be pushed", async () => {
    for (const to of [
      newTarget(),
      `oci:${newOut()}:v1`,
      `oci-archive:${newOut()}.tar`,
      `docker-archive:${newOut()}.tar`,
    ]) {
      const planned = await machine()({ to, dryRun: true });
      assert.equal(planned.reference, (await machine()({ to })).reference);
    }
  });

  it("build with --dry-run and --offline gives the digest for a registry without a request", async () => {
    const run = machine();
    const { digest } = await run();
    const before = registry.requests.length;
    const environment = {
      LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`,
      HOME: temporaryDirectory(),
      AWS_ENDPOINT_URL_ECR: `http://${registry.host}`,
      ...{ AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" },
    };
    const result = await run({ to: ECR, dryRun: true, offline: true, createRepo: true, environment });
    assert.deepEqual([result.digest, result.destinations], [digest, []]);
    assert.equal(registry.requests.length, before);
    const directory = makeTree({ ...APP, "app.py": "def handler(e, c): return 1\n" }); // its layer is nowhere
    await run({ directory, to: ECR, dryRun: true, offline: true, environment });
    assert.equal(registry.requests.length, before);
  });

  it("build with --offline refuses a registry as destination before it reads the base", async () => {
    const before = registry.requests.length;
    await assert.rejects(machine()({ to: newTarget(), offline: true }), {
      code: "OFFLINE",
      message: /cannot be reached with --offline/,
    });
    assert.equal(registry.requests.length, before);
  });

  it("build with --dry-run stops at an error that a rule finds, as a real build does", async () => {
    const broken = { base: "scratch", dryRun: true, entrypoint: ["/nowhere"] };
    await assert.rejects(machine()(broken), { code: "CHECK_FAILED", message: /nowhere/ });
  });

  it("build with --jobs 1 sends to two destinations with all tags of both", async () => {
    const to = [newTarget(), newTarget()];
    const { digest } = await machine()({ to, tag: ["v2"], jobs: 1 });
    for (const target of to)
      for (const tag of ["v1", "v2"])
        assert.equal(
          registry.tag(target.slice(registry.host.length + 1, -3), tag),
          digest,
          `${target} ${tag}`,
        );
  });

  it("build with SOURCE_DATE_EPOCH reuses no layer that was packed with another time", async () => {
    const previous = newTarget();
    await machine()({ to: previous });
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, SOURCE_DATE_EPOCH: "77" };
    const result = await machine()({ reuseFrom: previous, environment });
    assert.deepEqual(howsOf(result), ["built", "built"]);
  });

  it("build with another --level reuses no layer that was packed with the first level", async () => {
    const previous = newTarget();
    await machine()({ to: previous, level: 4 });
    const result = await machine()({ reuseFrom: previous, level: 9 });
    assert.deepEqual(howsOf(result), ["built", "built"]);
  });
});
