import assert from "node:assert/strict";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, type BuildResult, build, push } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(e, c): return e\n", "node_modules/a/index.js": "exports.a = 1\n" };

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"));
});
after(() => registry.stop());

interface Run extends BuildResult {
  readonly events: readonly BuildEvent[];
}

/** A machine: what its builds share is its cache. */
function machine(cacheDirectory = join(temporaryDirectory(), "cache")) {
  const run = async (directory: string, more: Partial<BuildOptions> = {}): Promise<Run> => {
    const events: BuildEvent[] = [];
    const result = await build({
      directory,
      base: "python:3.12",
      to: `oci:${join(temporaryDirectory(), "out")}`,
      cacheDir: cacheDirectory,
      environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
      onEvent: (event) => events.push(event),
      ...more,
    });
    return { ...result, events };
  };
  return { run, cacheDirectory };
}

/** As after a checkout: other files, new times. */
function checkout(tree: Tree): string {
  return makeTree(tree);
}

/** What may happen to the files of layers in a cache. */
const damages: Readonly<Record<string, (paths: readonly string[]) => void>> = {
  "a flipped bit": (paths) => each(paths, flip),
  "a flipped bit and the old time": (paths) =>
    each(paths, (path) => {
      const { atime, mtime } = statSync(path);
      flip(path);
      utimesSync(path, atime, mtime);
    }),
  "its end cut off": (paths) => each(paths, (path) => truncateSync(path, 30)),
  "nothing in it": (paths) => each(paths, (path) => truncateSync(path, 0)),
  "no file": (paths) => each(paths, (path) => rmSync(path)),
  "a directory in its place": (paths) =>
    each(paths, (path) => {
      rmSync(path);
      mkdirSync(join(path, "deeper"), { recursive: true });
    }),
  "another's bytes": ([one = "", two = ""]) => {
    renameSync(one, `${one}.aside`);
    renameSync(two, one);
    renameSync(`${one}.aside`, two);
  },
};

function each(paths: readonly string[], damage: (path: string) => void): void {
  for (const path of paths) damage(path);
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Files whose times prove something. */
function settled(tree: Tree): string {
  const root = makeTree(tree);
  for (const path of readdirSync(root, { recursive: true, encoding: "utf8" }))
    utimesSync(join(root, path), 1_600_000_000, 1_600_000_000);
  return root;
}

function hows({ layers }: BuildResult): readonly string[] {
  return layers.flatMap(({ name, how }) => (how === "base" ? [] : `${name}: ${how}`));
}

function fromOf({ events }: Run): readonly (string | undefined)[] {
  return events.flatMap((event) => (event.type === "layer-ready" ? event.from : []));
}

const built = ["deps: built", "app: built"];
const cached = ["deps: cached", "app: cached"];
const reused = ["deps: reused", "app: reused"];

describe("build with a cache", () => {
  it("a second build takes every layer from the cache and gives the same digest", async () => {
    const { run } = machine();
    const first = await run(checkout(APP));
    assert.deepEqual(hows(first), built);
    const second = await run(checkout(APP));
    assert.deepEqual(hows(second), cached);
    assert.equal(second.digest, first.digest);
  });

  it("a second build packs only the layer in which a file changed", async () => {
    const { run } = machine();
    const directory = checkout(APP);
    await run(directory);
    writeFileSync(join(directory, "app.py"), "def handler(e, c): return c\n");
    const second = await run(directory);
    assert.deepEqual(hows(second), ["deps: cached", "app: built"]);
    assert.equal(second.digest, (await machine().run(directory)).digest);
  });

  it("a second build with another level or SOURCE_DATE_EPOCH packs every layer", async () => {
    const { run } = machine();
    await run(checkout(APP));
    assert.deepEqual(hows(await run(checkout(APP), { level: 6 })), built);
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, SOURCE_DATE_EPOCH: "5" };
    assert.deepEqual(hows(await run(checkout(APP), { environment })), built);
  });

  it("a second build without the cache packs every layer to the same digest", async () => {
    const { run } = machine();
    const first = await run(checkout(APP));
    const second = await run(checkout(APP), { cache: false });
    assert.deepEqual(hows(second), built);
    assert.equal(second.digest, first.digest);
  });

  for (const [what, damage] of Object.entries(damages)) {
    it(`a second build packs a layer again that has ${what} in the cache`, async () => {
      const { run, cacheDirectory } = machine();
      const first = await run(checkout(APP));
      const paths = first.layers.flatMap(({ digest, how }) =>
        how === "base" ? [] : join(cacheDirectory, "blobs", "sha256", digest.slice(7)),
      );
      damage(paths);
      const out = join(temporaryDirectory(), "out");
      const second = await run(checkout(APP), { to: `oci:${out}` });
      assert.equal(second.digest, first.digest);
      for (const { digest } of second.layers)
        assert.equal(digestOf(readFileSync(join(out, "blobs", "sha256", digest.slice(7)))), digest);
      assert.deepEqual(hows(await run(checkout(APP))), cached);
    });
  }
});

describe("build that reuses layers of an earlier image", () => {
  let count = 0;
  const newTarget = () => `${registry.host}/fleet-${++count}:v1`;

  it("a build on another machine reuses every layer of the image with its tag and sends nothing", async () => {
    const to = newTarget();
    const first = await machine().run(checkout(APP), { to });
    const second = await machine().run(checkout(APP), { to });
    assert.deepEqual(hows(second), reused);
    assert.deepEqual(fromOf(second), [to, to]);
    assert.equal(second.digest, first.digest);
    assert.deepEqual([second.stats.sent, second.stats.received], [0, 0]);
  });

  it("a build under a new tag reuses the layers of latest", async () => {
    const to = newTarget();
    await machine().run(checkout(APP), { to, tag: ["latest"] });
    const second = await machine().run(checkout(APP), { to: to.replace(":v1", ":v2") });
    assert.deepEqual(hows(second), reused);
    assert.deepEqual(fromOf(second), [to.replace(":v1", ":latest"), to.replace(":v1", ":latest")]);
  });

  it("a build reuses the layers of the image that --reuse-from names, whatever the destination", async () => {
    const to = newTarget();
    const first = await machine().run(checkout(APP), { to });
    const out = join(temporaryDirectory(), "out");
    const second = await machine().run(checkout(APP), { to: `oci:${out}`, reuseFrom: to });
    assert.deepEqual(hows(second), reused);
    assert.equal(second.digest, first.digest);
  });

  it("a build warns that the image of --reuse-from does not exist, and builds", async () => {
    const second = await machine().run(checkout(APP), { reuseFrom: `${registry.host}/nobody:v1` });
    assert.deepEqual(hows(second), built);
    assert.ok(
      second.events.some((event) => event.type === "warning" && /nobody:v1/.test(event.message)),
      "no warning",
    );
  });

  const warningsOf = ({ events }: Run) =>
    events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

  it("a build that is not logged in to its destination packs nothing, and a dry run needs no login", async () => {
    const closed = await TestRegistry.start({ auth: "basic", user: "ada", password: "s3cret" });
    after(() => closed.stop());
    const events: BuildEvent[] = [];
    const options = { to: `${closed.host}/app:v1`, onEvent: (event: BuildEvent) => void events.push(event) };
    await assert.rejects(machine().run(checkout(APP), options), { code: "CREDENTIALS_INVALID" });
    assert.deepEqual(
      events.filter(({ type }) => type.startsWith("layer-")),
      [],
    );
    assert.deepEqual(hows(await machine().run(checkout(APP), { ...options, dryRun: true })), built);
  });

  it("a build warns once that nothing of the image of --reuse-from has its files", async () => {
    const to = newTarget();
    await machine().run(checkout({ "app.py": "def handler(e, c): return 1\n" }), { to });
    const second = await machine().run(checkout(APP), { reuseFrom: to });
    const message = `nothing is reused from ${to}: none of its layers has the files of this build`;
    assert.deepEqual([hows(second), warningsOf(second)], [built, [message]]);
  });

  it("a build warns that --reuse-from names an image without layers of its compression level", async () => {
    const [to, base] = [newTarget(), `${registry.host}/lambda/python:3.12`];
    await machine().run(checkout(APP), { to, level: 9 });
    for (const reuseFrom of [to, base])
      assert.deepEqual(warningsOf(await machine().run(checkout(APP), { reuseFrom })), [
        `nothing is reused from ${reuseFrom}: it has no layer that lambda-pack packed with --level 4`,
      ]);
  });

  it("a build does not warn of --reuse-from if one layer is reused, or if the cache has all layers", async () => {
    const [to, here] = [newTarget(), machine()];
    await here.run(checkout(APP), { to });
    const changed = checkout({ ...APP, "app.py": "def handler(e, c): return 6\n" });
    const [partly, cached] = [
      await machine().run(changed, { reuseFrom: to }),
      await here.run(checkout(APP), { reuseFrom: `${registry.host}/lambda/python:3.12` }),
    ];
    assert.deepEqual([warningsOf(partly), warningsOf(cached)], [[], []]);
  });

  it("a build --offline reuses layers of a layout that --reuse-from names and makes no request", async () => {
    const out = `oci:${join(temporaryDirectory(), "out")}`;
    const base = `oci:${join(temporaryDirectory(), "base")}`;
    await push({ source: `${registry.host}/lambda/python:3.12`, to: base, cache: false, environment: {} });
    const first = await machine().run(checkout(APP), { to: out, base });
    const before = registry.requests.length;
    const second = await machine().run(checkout(APP), { base, reuseFrom: out, offline: true });
    assert.deepEqual([hows(second), second.digest], [reused, first.digest]);
    assert.equal(registry.requests.length, before);
  });

  it("a build --offline warns that a registry named by --reuse-from cannot be reached, and builds", async () => {
    const here = machine();
    await here.run(checkout(APP));
    const before = registry.requests.length;
    const changed = checkout({ ...APP, "app.py": "def handler(e, c): return 5\n" });
    const options = { reuseFrom: `${registry.host}/app:v1`, offline: true };
    const { events } = await here.run(changed, options);
    const warnings = events.flatMap((event) => (event.type === "warning" ? event.message : []));
    assert.equal(warnings.length, 1, warnings.join());
    assert.match(warnings[0] ?? "", /nothing is reused from .*\/app:v1: .*cannot be reached with --offline/);
    assert.equal(registry.requests.length, before);
  });

  it("a build sends reused layers to a destination that does not have them, reading each once", async () => {
    const [to, other] = [newTarget(), newTarget()];
    const first = await machine().run(checkout(APP), { to });
    const out = `oci:${join(temporaryDirectory(), "out")}`;
    const before = registry.seen("get blob").length;
    const second = await machine().run(checkout(APP), { to: [to, other, out] });
    assert.deepEqual(hows(second), reused);
    assert.equal(registry.tag(other.slice(registry.host.length + 1, -3), "v1"), first.digest);
    const read = registry
      .seen("get blob")
      .slice(before)
      .map(({ reference }) => reference);
    for (const { digest, how } of first.layers)
      if (how !== "base") assert.ok(read.filter((one) => one === digest).length <= 1, read.join());
  });

  it("a build on another machine packs what changed and reuses the rest", async () => {
    const to = newTarget();
    await machine().run(checkout(APP), { to });
    const changed = checkout({ ...APP, "app.py": "def handler(e, c): return 1\n" });
    assert.deepEqual(hows(await machine().run(changed, { to })), ["deps: reused", "app: built"]);
  });

  it("a build with --no-cache reuses no layer of an earlier image", async () => {
    const to = newTarget();
    await machine().run(checkout(APP), { to });
    assert.deepEqual(hows(await machine().run(checkout(APP), { to, cache: false })), built);
  });

  it("a build packs a reused layer whose bytes the registry has lost", async () => {
    const lossy = await TestRegistry.start();
    after(() => lossy.stop());
    const to = `${lossy.host}/app:v1`;
    const first = await machine().run(checkout(APP), { to });
    const lost = first.layers.find(({ name }) => name === "deps")?.digest;
    lossy.fault = ({ kind, reference }) =>
      reference === lost && (kind === "get blob" || kind === "head blob")
        ? { kind: "answer", status: 404 }
        : undefined;
    const out = join(temporaryDirectory(), "out");
    const second = await machine().run(checkout(APP), { to: `oci:${out}`, reuseFrom: to });
    assert.equal(second.digest, first.digest);
  });

  it("a build reuses no layer whose fingerprint in the history does not follow from its diffID", async () => {
    const to = newTarget();
    const repository = to.slice(registry.host.length + 1, -3);
    const { digest } = await machine().run(checkout(APP), { to });
    const manifest = JSON.parse(String(registry.manifest(repository, digest)));
    const config = JSON.parse(String(registry.blob(repository, manifest.config.digest)));
    const [deps, app] = config.history.slice(-2);
    [deps.comment, app.comment] = [app.comment, deps.comment];
    const bytes = Buffer.from(JSON.stringify(config));
    const forged = { ...manifest.config, digest: registry.addBlob(repository, bytes), size: bytes.length };
    registry.addManifest(repository, manifest.mediaType, { ...manifest, config: forged }, "v1");
    const second = await machine().run(checkout(APP), { to });
    assert.deepEqual(hows(second), built);
    assert.equal(second.digest, digest);
  });

  it("a build with --offline makes no request for an earlier image", async () => {
    const here = machine();
    await here.run(checkout(APP));
    const before = registry.requests.length;
    const changed = checkout({ ...APP, "app.py": "other" });
    await here.run(changed, { offline: true, handler: "app.handler", cmd: ["app.handler"] });
    assert.equal(registry.requests.length, before);
  });
});

describe("build of untouched files", () => {
  it("a build of untouched files reads none of them", async () => {
    const { run } = machine();
    const directory = settled(APP);
    // Their change time is new still: the first build may only look.
    const first = await later(() => run(directory));
    const second = await later(() => run(directory));
    assert.deepEqual(hows(second), cached);
    assert.equal(second.stats.spent.pack, 0);
    assert.equal(second.digest, first.digest);
  });

  it("a build notices a write within the same tick of the clock", async () => {
    const { run } = machine();
    const directory = checkout(APP);
    for (let round = 0; round < 20; round++) {
      writeFileSync(join(directory, "app.py"), `def handler(e, c): return ${round % 10}\n`);
      const { digest } = await run(directory);
      if (round % 5 > 0) continue;
      const copy = temporaryDirectory();
      cpSync(directory, copy, { recursive: true });
      assert.equal(digest, (await machine().run(copy)).digest, `round ${round}`);
    }
  });

  it("a build of untouched files notices that one was deleted", async () => {
    const { run } = machine();
    const directory = settled({ ...APP, "gone.txt": "x" });
    await later(() => run(directory));
    rmSync(join(directory, "gone.txt"));
    const { digest } = await later(() => run(directory));
    assert.equal(digest, (await machine().run(checkout(APP))).digest);
  });
});

/** As if it were a minute later. */
async function later<T>(work: () => Promise<T>): Promise<T> {
  const now = Date.now;
  Date.now = () => now() + 60_000;
  try {
    return await work();
  } finally {
    Date.now = now;
  }
}
