import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { LambdaPackError } from "../../../src/errors.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { altered, answer, changed } from "../../support/registry/fault-cases.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import {
  bytesOf,
  imageOf,
  layerOf,
  opened,
  openedWith,
  pushTo,
  type TestImage,
} from "../../support/registry/repository.ts";

const LINUX = { os: "linux", architecture: "amd64" };
const types = MEDIA_TYPES.oci;
const started: TestRegistry[] = [];

async function start(options?: TestRegistryOptions): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  return registry;
}

afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

/** The image without its manifest. */
async function holdBlobs(registry: TestRegistry, { config, layers }: TestImage): Promise<void> {
  for (const blob of [config, ...layers]) registry.addBlob("app", await bytesOf(blob));
}

async function hold(registry: TestRegistry, image: TestImage, ...tags: readonly string[]): Promise<void> {
  await holdBlobs(registry, image);
  registry.addManifest("app", image.manifest.descriptor.mediaType, await bytesOf(image.manifest), ...tags);
}

describe("pulling a manifest", () => {
  it("asks for all four types, for registries hide what is not asked for", async () => {
    const registry = await start();
    await hold(registry, imageOf(layerOf(10)), "v1");
    await opened(registry).repository.pull("v1", LINUX);
    const [request] = registry.seen("get manifest");
    for (const family of ["docker", "oci"] as const) {
      assert.ok(request?.headers.accept?.includes(MEDIA_TYPES[family].manifest));
      assert.ok(request?.headers.accept?.includes(MEDIA_TYPES[family].index));
    }
  });

  it("takes latest if nothing is named", async () => {
    const registry = await start();
    await hold(registry, imageOf(layerOf(10)), "latest");
    await opened(registry).repository.pull(undefined, LINUX);
    assert.equal(registry.seen("get manifest")[0]?.reference, "latest");
  });

  it("takes the child of an index by its digest, and needs no label", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await hold(registry, image);
    registry.addManifest(
      "app",
      types.index,
      { schemaVersion: 2, manifests: [{ ...image.manifest.descriptor, platform: LINUX }] },
      "v1",
    );
    const pulled = await opened(registry).repository.pull("v1", LINUX);
    assert.equal(pulled.manifest.descriptor.digest, image.manifest.descriptor.digest);
  });

  it("by digest fails when other bytes come, and says which", async () => {
    const registry = await start();
    const [image, other] = [imageOf(layerOf(10)), imageOf(layerOf(11))];
    await hold(registry, image);
    const bytes = await bytesOf(other.manifest);
    registry.fault = ({ kind }) => (kind === "get manifest" ? changed(() => bytes) : undefined);
    const { digest } = image.manifest.descriptor;
    await assert.rejects(opened(registry).repository.pull(digest, LINUX), {
      code: "CONTENT_MISMATCH",
      message: new RegExp(`${other.manifest.descriptor.digest} for ${digest}`),
    });
  });

  it("fails when the registry calls it by another digest than its own", async () => {
    const registry = await start();
    await hold(registry, imageOf(layerOf(10)), "v1");
    const lie = altered({ headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } });
    registry.fault = ({ kind }) => (kind === "get manifest" ? lie : undefined);
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), { code: "CONTENT_MISMATCH" });
  });

  it("works if the registry says no digest", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await hold(registry, image, "v1");
    registry.fault = ({ kind }) =>
      /manifest/.test(kind)
        ? {
            kind: "change",
            change: ({ headers: { "docker-content-digest": _, ...headers } = {}, ...rest }) => ({
              ...rest,
              headers,
            }),
          }
        : undefined;
    const { repository } = opened(registry);
    await repository.pull("v1", LINUX);
    assert.equal(await repository.isPublished(image.manifest.descriptor, ["v1"]), true);
  });

  it("refuses a label that contradicts the document", async () => {
    const registry = await start();
    await hold(registry, imageOf(layerOf(10)), "v1");
    registry.fault = ({ kind }) =>
      kind === "get manifest" ? altered({ headers: { "content-type": types.index } }) : undefined;
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), { code: "IMAGE_INVALID" });
  });

  it("refuses a child that the registry labels otherwise than the index", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await hold(registry, image);
    const entry = { ...image.manifest.descriptor, platform: LINUX };
    registry.addManifest(
      "app",
      types.index,
      { schemaVersion: 2, mediaType: types.index, manifests: [entry] },
      "v1",
    );
    const label = altered({ headers: { "content-type": MEDIA_TYPES.docker.manifest } });
    registry.fault = ({ kind, reference }) =>
      kind === "get manifest" && reference !== "v1" ? label : undefined;
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), {
      code: "IMAGE_INVALID",
      message: /calls/,
    });
  });

  it("stops at 4 MiB of a manifest that says it is larger, without reading it", async () => {
    const registry = await start();
    await hold(registry, imageOf(layerOf(10)), "v1");
    const huge = altered({ headers: { "content-length": String(400 * 1024 * 1024) } });
    registry.fault = ({ kind }) => (kind === "get manifest" ? huge : undefined);
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), {
      code: "IMAGE_INVALID",
      message: /larger/,
    });
  });

  it("stops at 4 MiB of a manifest that does not say how large it is", async () => {
    const registry = await start();
    registry.fault = ({ kind }) =>
      kind === "get manifest"
        ? {
            kind: "answer",
            status: 200,
            headers: { "content-type": types.manifest, "transfer-encoding": "chunked" },
            body: Buffer.alloc(5 * 1024 * 1024, " "),
          }
        : undefined;
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), {
      code: "IMAGE_INVALID",
      message: /larger/,
    });
  });

  it("says that there is no such image", async () => {
    const registry = await start();
    await assert.rejects(opened(registry).repository.pull("v9", LINUX), {
      code: "IMAGE_NOT_FOUND",
      message: /v9 of 127/,
    });
  });

  it("pulling a manifest does not run into a redirect loop", async () => {
    const registry = await start();
    registry.fault = ({ kind, path }) =>
      kind === "get manifest" ? answer(302, "", { location: path }) : undefined;
    await assert.rejects(opened(registry).repository.pull("v1", LINUX), { code: "REGISTRY_ANSWER" });
    assert.equal(registry.seen("get manifest").length, 6);
  });
});

describe("publishing", () => {
  it("writes the manifest under every tag, with its own media type", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await holdBlobs(registry, image);
    await opened(registry).repository.publish(image.manifest, ["v1", "v2"]);
    assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
    assert.equal(registry.tag("app", "v2"), image.manifest.descriptor.digest);
    assert.ok(
      registry.seen("put manifest").every(({ headers }) => headers["content-type"] === types.manifest),
    );
  });

  it("keeps the pace that a registry allows between two tags", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await holdBlobs(registry, image);
    const { repository, pacing } = openedWith(registry, { publishEveryMs: 125 });
    await repository.publish(image.manifest, ["v1", "v2", "v3"]);
    assert.deepEqual(pacing.waits, [125, 125]);
  });

  it("writes under the digest if there is no tag", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await holdBlobs(registry, image);
    await opened(registry).repository.publish(image.manifest, []);
    assert.equal(registry.seen("put manifest")[0]?.reference, image.manifest.descriptor.digest);
  });

  it("writes nothing if the tag names this manifest already", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await hold(registry, image, "v1");
    await opened(registry).repository.publish(image.manifest, ["v1"]);
    assert.equal(registry.seen("put manifest").length, 0);
  });

  it("moves a tag that names another one", async () => {
    const registry = await start();
    const [old, image] = [imageOf(layerOf(10)), imageOf(layerOf(11))];
    await hold(registry, old, "v1");
    await holdBlobs(registry, image);
    await opened(registry).repository.publish(image.manifest, ["v1"]);
    assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
  });

  it("publishing is done if an immutable tag names this manifest already", async () => {
    const registry = await start({ immutableTags: true });
    const image = imageOf(layerOf(10));
    await hold(registry, image, "v1");
    // Somebody else wrote it after we looked.
    registry.fault = ({ kind, count }) => (kind === "head manifest" && count === 1 ? answer(404) : undefined);
    await opened(registry).repository.publish(image.manifest, ["v1"]);
    assert.equal(registry.seen("put manifest").length, 1);
  });

  it("says that an immutable tag names another one, at once", async () => {
    const registry = await start({ immutableTags: true });
    const [old, image] = [imageOf(layerOf(10)), imageOf(layerOf(11))];
    await hold(registry, old, "v1");
    await holdBlobs(registry, image);
    const { repository, pacing } = opened(registry);
    await assert.rejects(repository.publish(image.manifest, ["v1"]), {
      code: "TAG_IMMUTABLE",
      message: /v1/,
      hint: /a new tag for each build/,
    });
    assert.deepEqual(pacing.waits, []);
  });

  it("names the blobs that the registry lacks, which are then sent, not mounted", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10), layerOf(20));
    await holdBlobs(registry, image);
    const [layer] = image.layers;
    assert.ok(layer);
    const { digest } = layer.descriptor;
    registry.removeBlob("app", digest);
    const { repository } = opened(registry);
    await assert.rejects(repository.publish(image.manifest, ["v1"]), (error: unknown) => {
      assert.ok(error instanceof LambdaPackError && error.code === "BLOBS_MISSING");
      assert.deepEqual(error.answer?.missing, [digest]);
      return true;
    });
    assert.equal(
      await repository.put({ ...layer, origin: { registry: registry.host, repository: "base" } }),
      "uploaded",
    );
    assert.equal(registry.seen("mount").length, 0);
    await repository.publish(image.manifest, ["v1"]);
    assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
  });

  it("publishing does not write again what was written though the answer was lost", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    await holdBlobs(registry, image);
    registry.fault = ({ kind }) => (kind === "put manifest" ? { kind: "lose answer" } : undefined);
    await opened(registry).repository.publish(image.manifest, ["v1"]);
    assert.equal(registry.seen("put manifest").length, 1);
  });

  it("shows a registry's warning once", async () => {
    const registry = await start();
    const image = imageOf(layerOf(10));
    registry.fault = () => altered({ headers: { warning: '299 - "this registry closes in May"' } });
    const { repository, events } = opened(registry);
    await pushTo(repository, image, "v1");
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.deepEqual(warnings, [`${registry.host} says: this registry closes in May`]);
  });
});
