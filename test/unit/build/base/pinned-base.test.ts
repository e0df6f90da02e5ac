import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildOptions, build, verifyCache } from "../../../../src/index.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { lambdaBase, publishBase } from "../../../support/images/base.ts";
import { TestRegistry } from "../../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../../support/trees.ts";

const directory = makeTree({ "app.py": "def handler(e, c): return e\n" });

interface CacheRecord {
  readonly path: string;
  readonly key: string;
  readonly value: { readonly descriptor: unknown };
}

function recordsOf(cacheDirectory: string): readonly CacheRecord[] {
  const references = join(cacheDirectory, "references");
  return readdirSync(references).map((name) => {
    const path = join(references, name);
    return { path, ...JSON.parse(readFileSync(path, "utf8").split("\n")[1] ?? "") };
  });
}

/** Writes it as the cache does, whole and with its own digest. */
function writeRecord({ path, key }: CacheRecord, value: unknown): void {
  const line = JSON.stringify({ key, value });
  writeFileSync(path, `${digestOf(line)}\n${line}\n`);
}

/** A registry with two bases, under their digests and the tags `good` and `other`, both of which the cache knows. */
async function machine(kind: "image" | "index") {
  const registry = await TestRegistry.start();
  const images = (layers: "docker" | "oci") =>
    kind === "image"
      ? [lambdaBase("x86_64", layers)]
      : [lambdaBase("x86_64", layers), lambdaBase("arm64", layers)];
  await publishBase(registry, "lambda/python", "good", ...images("docker"));
  await publishBase(registry, "lambda/python", "other", ...images("oci"));
  const repository = `${registry.host}/lambda/python`;
  const lockFile = join(temporaryDirectory(), "lock");
  const cacheDirectory = join(temporaryDirectory(), "cache");
  const run = (more: Partial<BuildOptions> & Pick<BuildOptions, "base">) =>
    build({
      directory,
      arch: "x86_64",
      to: `oci:${join(temporaryDirectory(), "out")}`,
      environment: {},
      lockFile,
      cacheDir: cacheDirectory,
      ...more,
    });
  const topOf = (tag: string) => registry.tag("lambda/python", tag);
  const pinned = { good: `${repository}@${topOf("good")}`, other: `${repository}@${topOf("other")}` };
  const good = await run({ base: pinned.good });
  const other = await run({ base: pinned.other });
  /** Afterwards the cache's record of one pinned base leads to the other. */
  const tamper = (base: string): string => {
    const records = recordsOf(cacheDirectory);
    const changed = records.find(({ key }) => key === base || key.startsWith(`${base} `));
    const wrong = records.find(({ key }) => key === pinned.other || key.startsWith(`${pinned.other} `));
    assert.ok(changed && wrong);
    writeRecord(changed, wrong.value);
    return changed.path;
  };
  return { registry, repository, cacheDirectory, run, tamper, pinned, good, other };
}

for (const kind of ["image", "index"] as const) {
  describe(`build over a base that is named by the digest of an ${kind}`, () => {
    it(`build over the digest of an ${kind} takes it from the cache and makes no request`, async () => {
      const { registry, run, pinned, good, other } = await machine(kind);
      assert.notEqual(good.digest, other.digest);
      await registry.stop();
      assert.equal((await run({ base: pinned.good })).digest, good.digest);
      assert.equal((await run({ base: pinned.good, offline: true })).digest, good.digest);
    });

    it(`build over the digest of an ${kind} fetches it again where the cache's record leads to another image`, async () => {
      const { registry, run, tamper, pinned, good } = await machine(kind);
      tamper(pinned.good);
      const before = registry.requests.length;
      assert.equal((await run({ base: pinned.good })).digest, good.digest);
      assert.ok(registry.requests.length > before);
      await registry.stop();
    });

    it(`build --offline over the digest of an ${kind} refuses another image in the cache`, async () => {
      const { registry, run, tamper, pinned } = await machine(kind);
      tamper(pinned.good);
      await assert.rejects(run({ base: pinned.good, offline: true }), { code: "OFFLINE" });
      await registry.stop();
    });

    it(`cache verify removes a record that leads from the digest of an ${kind} to another image`, async () => {
      const { registry, cacheDirectory, tamper, pinned } = await machine(kind);
      const path = tamper(pinned.good);
      assert.deepEqual((await verifyCache({ cacheDir: cacheDirectory })).removed, [path]);
      assert.deepEqual((await verifyCache({ cacheDir: cacheDirectory })).removed, []);
      await registry.stop();
    });
  });
}

it("build --offline over the digest of an index requests no platform that the cache lacks", async () => {
  const { registry, run, pinned } = await machine("index");
  const before = registry.requests.length;
  await assert.rejects(run({ base: pinned.good, arch: "arm64", offline: true }), { code: "OFFLINE" });
  assert.equal(registry.requests.length, before);
  await registry.stop();
});

describe("build over a base that lambda-pack.lock names", () => {
  it("build over a locked base fetches it again where the cache's record leads to another image", async () => {
    const { registry, repository, run, tamper } = await machine("image");
    const locked = await run({ base: `${repository}:good`, lock: true });
    await run({ base: `${repository}:good` });
    const pin = `${repository}:good@${locked.base.digest}`;
    tamper(pin);
    assert.equal((await run({ base: `${repository}:good` })).base.digest, locked.base.digest);
    await registry.stop();
  });
});
