import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { writeLock } from "../../../src/base/lock-file.ts";
import { partialName } from "../../../src/blobs/partial.ts";
import { type BuildOptions, build, check } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const NAME = "public.ecr.aws/lambda/python:3.12";

interface Scene {
  readonly registry: TestRegistry;
  readonly directory: string;
  readonly lock: string;
  /** Afterwards the tag names another image. */
  readonly move: () => Promise<unknown>;
  readonly run: (more?: Partial<BuildOptions>) => ReturnType<typeof build>;
}

/** A registry of its own, so that its tag can move. */
async function inScene(play: (scene: Scene) => Promise<void>): Promise<void> {
  const registry = await TestRegistry.start();
  try {
    const images = [lambdaBase("x86_64"), lambdaBase("arm64")] as const;
    await publishBase(registry, "lambda/python", "3.12", ...images);
    const directory = makeTree({ "app.py": "def handler(event, context):\n    return event\n" });
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const run: Scene["run"] = (more = {}) =>
      build({
        directory,
        base: "python:3.12",
        to: `oci:${join(temporaryDirectory(), "out")}`,
        cacheDir: cacheDirectory,
        environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
        ...more,
      });
    const move = () =>
      publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64", "oci"), lambdaBase("arm64", "oci"));
    await play({ registry, directory, lock: join(directory, "lambda-pack.lock"), move, run });
  } finally {
    await registry.stop();
  }
}

const digestOfBase = async (result: ReturnType<typeof build>) => (await result).base.digest;
const read = (path: string) => JSON.parse(readFileSync(path, "utf8"));

describe("the base lock", () => {
  it("a build without --lock writes no base lock", () =>
    inScene(async ({ lock, run }) => {
      await run();
      assert.equal(existsSync(lock), false);
    }));

  it("a build with --lock writes the base's digest by name and platform", () =>
    inScene(async ({ lock, run }) => {
      const digest = await digestOfBase(run({ lock: true }));
      assert.deepEqual(read(lock), { lockfileVersion: 1, bases: { [NAME]: { "linux/amd64": digest } } });
    }));

  it("a build with --lock for a second architecture keeps the entry of the first", () =>
    inScene(async ({ lock, run }) => {
      const first = await digestOfBase(run({ lock: true }));
      const second = await digestOfBase(run({ lock: true, arch: "arm64" }));
      assert.notEqual(first, second);
      assert.deepEqual(read(lock).bases, { [NAME]: { "linux/amd64": first, "linux/arm64": second } });
    }));

  it("two builds that write one base lock at the same time lose no entry, and pack nothing of each other", () =>
    inScene(async ({ directory, lock, run }) => {
      const [first, second] = await Promise.all([run({ lock: true }), run({ lock: true, arch: "arm64" })]);
      assert.deepEqual(Object.keys(read(lock).bases[NAME]), ["linux/amd64", "linux/arm64"]);
      assert.deepEqual(readdirSync(directory).sort(), ["app.py", "lambda-pack.lock"]);
      assert.equal((await run()).digest, first.digest);
      assert.equal((await run({ arch: "arm64" })).digest, second.digest);
    }));

  it("writers of one base lock wait for one another", async () => {
    const path = join(temporaryDirectory(), "lambda-pack.lock");
    const names = Array.from({ length: 8 }, (_, index) => `registry.test/base:${index}`);
    await Promise.all(names.map((name) => writeLock(path, name, "linux/amd64", digestOf(name))));
    assert.deepEqual(Object.keys(read(path).bases), names);
  });

  it("what another build has not finished writing is not packed", () =>
    inScene(async ({ directory, lock, run }) => {
      const { digest } = await run();
      writeFileSync(`${lock}.lock`, "another build");
      writeFileSync(join(directory, partialName(".file")), "half of a lock");
      assert.equal((await run()).digest, digest);
    }));

  it("a build obeys a base lock that is there when the tag has moved", () =>
    inScene(async ({ move, run }) => {
      const first = await digestOfBase(run({ lock: true }));
      await move();
      assert.equal(await digestOfBase(run()), first);
      assert.equal(await digestOfBase(run({ lock: true })), first);
    }));

  it("a build with --update-base takes what the tag names now and writes that to the lock", () =>
    inScene(async ({ lock, move, run }) => {
      const first = await digestOfBase(run({ lock: true }));
      await move();
      const second = await digestOfBase(run({ updateBase: true }));
      assert.notEqual(second, first);
      assert.deepEqual(read(lock).bases, { [NAME]: { "linux/amd64": second } });
      assert.equal(await digestOfBase(run()), second);
    }));

  it("a build with --locked accepts a tag that names what the lock says", () =>
    inScene(async ({ run }) => {
      const first = await digestOfBase(run({ lock: true }));
      assert.equal(await digestOfBase(run({ locked: true })), first);
    }));

  it("a build with --locked refuses a base whose digest does not match the lock", () =>
    inScene(async ({ move, run }) => {
      await run({ lock: true });
      await move();
      await assert.rejects(run({ locked: true }), {
        code: "LOCK_REFUSED",
        message: /is sha256:.* now, and .*lambda-pack\.lock has sha256:/,
        hint: /--update-base/,
      });
    }));

  it("a build with --locked refuses a base that the lock does not name", () =>
    inScene(async ({ run }) => {
      await assert.rejects(run({ locked: true }), { code: "LOCK_REFUSED", message: /does not name it/ });
    }));

  it("a build refuses a damaged base lock and says what is wrong with it", () =>
    inScene(async ({ lock, run }) => {
      writeFileSync(lock, "{}");
      await assert.rejects(run(), { code: "LOCK_REFUSED", message: /damaged.*lockfileVersion is not 1/ });
      writeFileSync(lock, `{"lockfileVersion":1,"bases":{"${NAME}":{"linux/amd64":"sha256:zz"}}}`);
      await assert.rejects(run(), { code: "LOCK_REFUSED", message: /damaged/ });
    }));

  it("a build does not write its base lock through a link", () =>
    inScene(async ({ lock, run }) => {
      const elsewhere = join(temporaryDirectory(), "elsewhere");
      symlinkSync(elsewhere, lock);
      await assert.rejects(run({ lock: true }), { code: "WRITE_FAILED", message: /symbolic link/ });
      assert.equal(existsSync(elsewhere), false);
    }));

  it("a base lock in the source directory is not part of the image", () =>
    inScene(async ({ run }) => {
      const before = (await run()).digest;
      assert.equal((await run({ lock: true })).digest, before);
      assert.equal((await run()).digest, before);
    }));

  it("a build with --lock-file reads and writes that file and no other", () =>
    inScene(async ({ lock, move, run }) => {
      const lockFile = join(temporaryDirectory(), "bases.lock");
      const first = await digestOfBase(run({ lock: true, lockFile }));
      await move();
      assert.equal(await digestOfBase(run({ lockFile })), first);
      assert.notEqual(await digestOfBase(run()), first);
      assert.equal(existsSync(lock), false);
    }));

  it("an offline build takes the locked base from the cache", () =>
    inScene(async ({ registry, move, run }) => {
      const first = await run({ lock: true });
      await run();
      await move();
      const before = registry.requests.length;
      assert.equal((await run({ offline: true })).digest, first.digest);
      assert.equal(registry.requests.length, before);
    }));

  it("an offline build with --lock and an empty cache writes no lock", () =>
    inScene(async ({ lock, run }) => {
      await assert.rejects(run({ lock: true, offline: true }), { code: "OFFLINE" });
      assert.equal(existsSync(lock), false);
    }));

  it("a dry run with --lock writes the lock, which a later build obeys", () =>
    inScene(async ({ lock, move, run }) => {
      const first = await digestOfBase(run({ lock: true, dryRun: true }));
      assert.equal(existsSync(lock), true);
      await move();
      assert.equal(await digestOfBase(run()), first);
    }));

  it("a dry run with --locked refuses a tag that has moved, as a build does, and keeps the lock", () =>
    inScene(async ({ lock, move, run }) => {
      await run({ lock: true });
      const before = read(lock);
      assert.equal((await run({ locked: true, dryRun: true })).destinations.length, 0);
      await move();
      for (const dryRun of [true, false])
        await assert.rejects(run({ locked: true, dryRun }), { code: "LOCK_REFUSED" });
      assert.deepEqual(read(lock), before);
    }));

  it("a build of a base that is named by digest neither reads nor writes the lock", () =>
    inScene(async ({ lock, registry, run }) => {
      writeFileSync(lock, "damaged");
      const digest = registry.tag("lambda/python", "3.12");
      await run({ base: `${registry.host}/lambda/python@${digest}`, lock: true });
      assert.equal(readFileSync(lock, "utf8"), "damaged");
    }));

  it("a build of a base in a layout needs no lock, whatever --locked says", () =>
    inScene(async ({ run }) => {
      const { destinations } = await run({ base: "scratch", cmd: ["x"], check: false });
      const layout = destinations[0]?.reference.replace(/@.*/, "") ?? assert.fail();
      await run({ base: layout, cmd: ["x"], check: false, locked: true });
    }));

  it("check of a directory obeys the base lock of its --lock-file", () =>
    inScene(async ({ directory, move, registry, run }) => {
      const lockFile = join(temporaryDirectory(), "bases.lock");
      const first = await digestOfBase(run({ lock: true, lockFile }));
      await move();
      const before = registry.requests.length;
      await check({
        ...{ source: directory, base: "python:3.12", lockFile, cache: false },
        environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` },
      });
      const asked = registry.requests.slice(before).map(({ reference }) => reference);
      assert.equal(asked.includes(first ?? ""), true, asked.join());
      assert.equal(asked.includes("3.12"), false);
    }));
});
