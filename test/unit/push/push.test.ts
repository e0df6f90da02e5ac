import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, type PushOptions, push } from "../../../src/index.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const LAYERS = 9;
/** Nothing is sent within this time where the code is broken. */
const LIMIT_MS = 60_000;

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
});
after(() => registry.stop());

let count = 0;
const newRepository = () => `push-${++count}`;

function run(options: Partial<PushOptions> & Pick<PushOptions, "source" | "to">) {
  const cacheDirectory = join(temporaryDirectory(), "cache");
  return push({ cacheDir: cacheDirectory, environment: {}, ...options });
}

/** A registry of its own for faults. */
async function withRegistry(play: (own: TestRegistry) => Promise<void>): Promise<void> {
  const own = await TestRegistry.start();
  try {
    await play(own);
  } finally {
    await own.stop();
  }
}

describe("push", () => {
  it("push names every blob that will be sent before the first one is sent", () =>
    withRegistry(async (own) => {
      const image = seededImage("queued", ...Array.from({ length: LAYERS }, (_, index) => 1000 + index));
      const layout = await layOut(temporaryDirectory(), image);
      // No upload ends: what is reported is reported before.
      own.fault = ({ kind }) => (kind === "put upload" ? { kind: "silence" } : undefined);
      const stop = new AbortController();
      const limit = setTimeout(() => stop.abort(), LIMIT_MS);
      const queued = new Map<string, number>();
      const onEvent = (event: BuildEvent): void => {
        if (event.type === "blob-progress") queued.set(event.digest, event.size);
        if (queued.size === LAYERS + 1) stop.abort();
      };
      const to = `${own.host}/queued:v1`;
      const pushing = run({ source: `oci:${layout}:v1`, to, jobs: 2, signal: stop.signal, onEvent });
      await assert.rejects(pushing, { code: "ABORTED" });
      clearTimeout(limit);
      const sizes = [image.config, ...image.layers].map(({ descriptor }) => descriptor.size);
      assert.deepEqual(
        [...queued.values()].sort((a, b) => a - b),
        sizes.sort((a, b) => a - b),
      );
    }));

  it("push of an image that the destination has reads and sends no blob and writes no manifest", async () => {
    const to = `${registry.host}/${newRepository()}:v1`;
    const source = `oci:${await layOut(temporaryDirectory(), seededImage("present", 2000))}:v1`;
    await run({ source, to });
    const before = registry.requests.length;
    const { stats } = await run({ source, to });
    assert.equal(stats.sent, 0);
    const kinds = registry.requests.slice(before).map(({ kind }) => kind);
    assert.deepEqual(
      kinds.filter((kind) => !["ping", "head manifest"].includes(kind)),
      [],
      kinds.join(),
    );
  });

  for (const detail of ["names", "does not name"] as const) {
    it(`push sends a blob that the registry lost when the refused manifest ${detail} it`, () =>
      withRegistry(async (own) => {
        const image = seededImage("lost", 3000, 4000);
        const lost = image.layers[0]?.descriptor ?? assert.fail();
        const source = `oci:${await layOut(temporaryDirectory(), image)}:v1`;
        own.fault = ({ kind, reference, count: nth }) => {
          if (kind === "head blob" && reference === lost.digest)
            return {
              kind: "change",
              change: () => ({ status: 200, headers: { "content-length": String(lost.size) } }),
            };
          if (detail === "names" || kind !== "put manifest" || nth > 1) return undefined;
          const body = JSON.stringify({
            errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "blob unknown" }],
          });
          return { kind: "answer", status: 400, body, headers: { "content-type": "application/json" } };
        };
        const { digest } = await run({ source, to: `${own.host}/app:v1` });
        assert.equal(own.tag("app", "v1"), digest);
        assert.equal(own.blob("app", lost.digest)?.length, lost.size);
        assert.equal(own.seen("put manifest").length, 2);
      }));
  }

  it("push of one image to two registries stops both when one refuses it", () =>
    withRegistry((silent) =>
      withRegistry(async (refusing) => {
        const source = `oci:${await layOut(temporaryDirectory(), seededImage("two", 5000))}:v1`;
        silent.fault = ({ kind }) => (kind === "put upload" ? { kind: "silence" } : undefined);
        refusing.fault = ({ kind }) =>
          kind === "start upload"
            ? { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }
            : undefined;
        const to = [`${silent.host}/app:v1`, `${refusing.host}/app:v1`];
        await assert.rejects(run({ source, to }), { code: "DENIED" });
        assert.deepEqual([silent.tag("app", "v1"), refusing.tag("app", "v1")], [undefined, undefined]);
      }),
    ));

  it("push adds every --tag to the destination's own tag", async () => {
    const repository = newRepository();
    const source = `oci:${await layOut(temporaryDirectory(), seededImage("tags", 100))}:v1`;
    const { digest } = await run({ source, to: `${registry.host}/${repository}:v1`, tag: ["v2", "v3"] });
    for (const tag of ["v1", "v2", "v3"]) assert.equal(registry.tag(repository, tag), digest, tag);
    assert.equal(registry.tag(repository, "latest"), undefined);
  });
});

describe("push of an index", () => {
  it("push without --arch takes linux/amd64 from an index that has several images", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("arm64"), lambdaBase("x86_64"));
    const { platform } = await run({
      source: `${registry.host}/${repository}:v1`,
      to: `oci:${temporaryDirectory()}`,
    });
    assert.equal(platform, "linux/amd64");
  });

  it("push without --arch refuses an index of several images that has none for linux/amd64", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("arm64"), lambdaBase("x86_64"));
    const index = JSON.parse(String(registry.manifest(repository, "v1")));
    const [arm64, other] = index.manifests;
    const manifests = [arm64, { ...other, platform: { os: "linux", architecture: "s390x" } }];
    registry.addManifest(repository, MEDIA_TYPES.docker.index, { ...index, manifests }, "v2");
    const out = join(temporaryDirectory(), "out");
    await assert.rejects(run({ source: `${registry.host}/${repository}:v2`, to: `oci:${out}` }), {
      code: "PLATFORM_NOT_FOUND",
      message: /no image for linux\/amd64 in the index, which has linux\/arm64, linux\/s390x/,
    });
    assert.equal(existsSync(out), false);
  });

  it("push with --arch of an image that is not an index refuses another architecture", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("x86_64"));
    const options = { source: `${registry.host}/${repository}:v1`, to: `oci:${temporaryDirectory()}` };
    await assert.rejects(run({ ...options, arch: "arm64" }), { code: "PLATFORM_NOT_FOUND" });
  });
});

describe("push and the cache", () => {
  it("push --offline sends an image that the cache has to a layout and makes no request", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("x86_64"));
    const source = `${registry.host}/${repository}:v1`;
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const first = await run({ source, to: `oci:${temporaryDirectory()}`, cacheDir: cacheDirectory });
    const before = registry.requests.length;
    const second = await run({
      source,
      to: `oci:${temporaryDirectory()}`,
      cacheDir: cacheDirectory,
      offline: true,
    });
    assert.equal(second.digest, first.digest);
    assert.equal(registry.requests.length, before);
    assert.deepEqual([first.stats.received > 0, second.stats.received], [true, 0]);
  });

  it("push --offline refuses a registry as destination before it reads the source", () =>
    withRegistry(async (own) => {
      const source = `oci:${await layOut(temporaryDirectory(), seededImage("offline", 100))}:v1`;
      await assert.rejects(run({ source, to: `${own.host}/app:v1`, offline: true }), { code: "OFFLINE" });
      assert.equal(own.requests.length, 0);
    }));

  it("push with --offline and without a cache says that the image is not in the cache", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("x86_64"));
    const options = { source: `${registry.host}/${repository}:v1`, to: `oci:${temporaryDirectory()}` };
    await assert.rejects(run({ ...options, offline: true, cache: false }), {
      code: "OFFLINE",
      message: /is not in the cache/,
    });
  });

  it("push without a cache gives the same image and leaves nothing in the cache directory", async () => {
    const repository = newRepository();
    await publishBase(registry, repository, "v1", lambdaBase("x86_64"));
    const source = `${registry.host}/${repository}:v1`;
    const cacheDirectory = join(temporaryDirectory(), "cache");
    const without = await run({
      source,
      to: `oci:${temporaryDirectory()}`,
      cacheDir: cacheDirectory,
      cache: false,
    });
    assert.equal(existsSync(cacheDirectory), false);
    const cached = await run({ source, to: `oci:${temporaryDirectory()}`, cacheDir: cacheDirectory });
    assert.equal(without.digest, cached.digest);
    assert.equal(without.stats.received, cached.stats.received);
  });

  it("push reports as received each layer once, also when two destinations read it", async () => {
    const image = seededImage("received", 5_000_000, 300_000);
    const source = `${registry.host}/${newRepository()}:v1`;
    await run({ source: `oci:${await layOut(temporaryDirectory(), image)}:v1`, to: source });
    const to = [`oci:${temporaryDirectory()}`, `oci:${temporaryDirectory()}`];
    const { stats } = await run({ source, to });
    const bytes = image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.equal(stats.received, bytes);
  });
});

describe("push between media", () => {
  it("push keeps the digest from any medium to any other", async () => {
    const image = lambdaBase("x86_64");
    const repository = newRepository();
    await publishBase(registry, repository, "v1", image);
    const directory = temporaryDirectory();
    const places = [
      `${registry.host}/${repository}:v1`,
      `oci:${directory}/first`,
      `${registry.host}/${newRepository()}:v1`,
      `oci-archive:${directory}/a.tar`,
      `oci:${directory}/second:v1`,
      `${registry.host}/${newRepository()}:v1`,
    ];
    for (const [index, source] of places.slice(0, -1).entries()) {
      const to = places[index + 1] ?? assert.fail();
      assert.equal(
        (await run({ source, to })).digest,
        image.manifest.descriptor.digest,
        `${source} -> ${to}`,
      );
    }
  });

  it("push through a docker-archive keeps the config and every layer", async () => {
    const image = lambdaBase("x86_64");
    const repository = newRepository();
    await publishBase(registry, repository, "v1", image);
    const archive = `docker-archive:${join(temporaryDirectory(), "a.tar")}`;
    const to = `${registry.host}/${newRepository()}:v1`;
    await run({ source: `${registry.host}/${repository}:v1`, to: archive });
    const { layers } = await run({ source: archive, to });
    assert.deepEqual(
      layers.map(({ digest }) => digest),
      image.layers.map(({ descriptor }) => descriptor.digest),
    );
    const [name = "", tag = ""] = to.slice(registry.host.length + 1).split(":");
    const manifest = JSON.parse(String(registry.manifest(name, tag)));
    assert.equal(manifest.config.digest, image.config.descriptor.digest);
  });

  it("push reads AWS's bases by their short names", async () => {
    await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` };
    const { digest } = await run({ source: "python:3.12", to: `oci:${temporaryDirectory()}`, environment });
    assert.equal(digest, lambdaBase("x86_64").manifest.descriptor.digest);
  });
});
