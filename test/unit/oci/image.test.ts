import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compose, emptyImage, replaceLayers } from "../../../src/oci/compose.ts";
import { type Content, contentOf, readAll, verified } from "../../../src/oci/content.ts";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import type { Image, Layer } from "../../../src/oci/image.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { resolveImage } from "../../../src/oci/resolve.ts";

const amd64 = { os: "linux", architecture: "amd64" };
const arm64 = { os: "linux", architecture: "arm64" };
const created = new Date(1000);

function layer(text: string): Layer {
  return { ...contentOf(MEDIA_TYPES.oci.layer, Buffer.from(text)), diffId: digestOf(`tar of ${text}`) };
}

const json = (content: Content) => readAll(content).then((bytes) => JSON.parse(String(bytes)));

/** A medium made of a map. */
function medium(...contents: readonly Content[]) {
  const held = new Map<Digest, Content>(contents.map((content) => [content.descriptor.digest, content]));
  return ({ digest, size, mediaType }: { digest: Digest; size: number; mediaType: string }): Content => ({
    descriptor: { digest, size, mediaType },
    read: (from) => (held.get(digest) ?? contentOf(mediaType, Buffer.alloc(0))).read(from),
  });
}

function indexOf(...children: readonly [Image, object | undefined][]): Content {
  const manifests = children.map(([image, platform]) => ({
    ...image.manifest.descriptor,
    ...(platform && { platform }),
  }));
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests };
  return contentOf(MEDIA_TYPES.oci.index, Buffer.from(JSON.stringify(index)));
}

describe("composing", () => {
  const base = compose(emptyImage(amd64, "docker"), {
    layers: [{ name: "os", layer: layer("os") }],
    env: { PATH: "/bin", LANG: "C" },
    entrypoint: ["/lambda-entrypoint.sh"],
    cmd: ["old.handler"],
    labels: { a: "1" },
    created,
  });

  it("puts new layers on top and writes every layer in the family of the base", async () => {
    const image = compose(base, { layers: [{ name: "app", layer: layer("app") }], created });
    const manifest = await json(image.manifest);
    assert.equal(manifest.mediaType, MEDIA_TYPES.docker.manifest);
    assert.deepEqual(
      manifest.layers.map((l: { mediaType: string }) => l.mediaType),
      Array(2).fill(MEDIA_TYPES.docker.layer),
    );
    assert.deepEqual((await json(image.config)).rootfs.diff_ids, [
      digestOf("tar of os"),
      digestOf("tar of app"),
    ]);
  });

  it("writes the other family if that is asked for", async () => {
    const manifest = await json(compose(base, { layers: [], family: "oci", created }).manifest);
    assert.equal(manifest.config.mediaType, MEDIA_TYPES.oci.config);
    assert.equal(manifest.layers[0].mediaType, MEDIA_TYPES.oci.layer);
  });

  it("replaces a variable where it stands and adds new ones at the end", () => {
    const image = compose(base, { layers: [], env: { LANG: "de", NEW: "a=b" }, created });
    assert.deepEqual(image.settings.config?.Env, ["PATH=/bin", "LANG=de", "NEW=a=b"]);
  });

  it("leaves a base without variables as it is where none are added", () => {
    const plain = emptyImage(amd64, "oci");
    const image = compose(plain, { layers: [], env: {}, created });
    assert.equal(image.settings.config?.Env, undefined);
  });

  it("adds labels to those of the base", () => {
    assert.deepEqual(compose(base, { layers: [], labels: { b: "2" }, created }).settings.config?.Labels, {
      a: "1",
      b: "2",
    });
  });

  it("clears Cmd when the entrypoint changes, as a Dockerfile does", () => {
    assert.equal(
      compose(base, { layers: [], entrypoint: ["/main"], created }).settings.config?.Cmd,
      undefined,
    );
    assert.deepEqual(compose(base, { layers: [], workingDir: "/x", created }).settings.config?.Cmd, [
      "old.handler",
    ]);
  });

  it("makes up a history if the base has none, so that every layer has its entry", () => {
    const { history: _, ...silent } = base.settings;
    const image = compose(
      { ...base, settings: silent },
      { layers: [{ name: "app", layer: layer("app") }], created },
    );
    assert.deepEqual(image.settings.history, [
      { created_by: "base layer" },
      { created: "1970-01-01T00:00:01Z", created_by: "lambda-pack: app" },
    ]);
  });

  it("keeps the fields of the base that it does not know", () => {
    const strange = { ...base, settings: { ...base.settings, "os.features": ["x"] } };
    assert.deepEqual(compose(strange, { layers: [], created }).settings["os.features"], ["x"]);
  });

  it("gives one digest for one input", () => {
    const again = () =>
      compose(base, { layers: [{ name: "app", layer: layer("app") }], created }).manifest.descriptor.digest;
    assert.equal(again(), again());
  });

  it("with replaced layers keeps the config", () => {
    const image = replaceLayers(base, [{ ...layer("os, packed otherwise"), diffId: digestOf("tar of os") }]);
    assert.equal(image.config.descriptor.digest, base.config.descriptor.digest);
    assert.notEqual(image.manifest.descriptor.digest, base.manifest.descriptor.digest);
  });
});

describe("resolving", () => {
  const image = compose(emptyImage(amd64, "oci"), {
    layers: [{ name: "app", layer: layer("app") }],
    created,
  });
  const graviton = compose(emptyImage(arm64, "oci"), {
    layers: [{ name: "app", layer: layer("app") }],
    created,
  });
  const open = medium(image.manifest, image.config, graviton.manifest, graviton.config);
  const digest = async (top: Content, platform?: typeof amd64) =>
    (await resolveImage(top, open, platform)).manifest.descriptor.digest;

  it("takes the child for the platform asked for, and linux/amd64 if none is", async () => {
    const index = indexOf([graviton, arm64], [image, amd64]);
    assert.equal(await digest(index, arm64), graviton.manifest.descriptor.digest);
    assert.equal(await digest(index), image.manifest.descriptor.digest);
  });

  for (const platform of [
    { os: "linux", architecture: "amd64", variant: "v1" },
    { os: "linux", architecture: "x86_64" },
  ]) {
    it(`takes ${JSON.stringify(platform)} in an index for linux/amd64`, async () => {
      const index = indexOf([graviton, arm64], [image, platform]);
      assert.equal(await digest(index, amd64), image.manifest.descriptor.digest);
    });
  }

  it("resolving does not take linux/amd64/v3 in an index for linux/amd64", async () => {
    const index = indexOf([graviton, arm64], [image, { ...amd64, variant: "v3" }]);
    await assert.rejects(digest(index, amd64), { code: "PLATFORM_NOT_FOUND" });
  });

  it("reads the configs if an index lists two images without platforms", async () => {
    const index = indexOf([graviton, undefined], [image, undefined]);
    assert.equal(await digest(index, amd64), image.manifest.descriptor.digest);
    assert.equal(await digest(index, arm64), graviton.manifest.descriptor.digest);
    assert.equal(await digest(index), image.manifest.descriptor.digest);
  });

  it("passes over attestations and takes the only image left", async () => {
    const index = indexOf([graviton, arm64], [image, { os: "unknown", architecture: "unknown" }]);
    assert.equal(await digest(index), graviton.manifest.descriptor.digest);
  });

  it("lists what there is when the platform is not", async () => {
    const index = indexOf([graviton, arm64]);
    await assert.rejects(digest(index, amd64), {
      code: "PLATFORM_NOT_FOUND",
      message: /linux\/amd64 .* linux\/arm64/,
    });
  });

  it("refuses a single image for another platform", async () => {
    await assert.rejects(digest(image.manifest, arm64), {
      code: "PLATFORM_NOT_FOUND",
      message: /is for linux\/amd64/,
    });
  });

  it("gives up on indexes that nest without end", async () => {
    let top = image.manifest;
    const indexes: Content[] = [];
    for (let depth = 0; depth < 6; depth++) {
      const manifests = [{ ...top.descriptor, platform: amd64 }];
      top = contentOf(MEDIA_TYPES.oci.index, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
      indexes.push(top);
    }
    await assert.rejects(resolveImage(top, medium(...indexes), amd64), {
      code: "IMAGE_INVALID",
      message: /nests/,
    });
  });

  it("refuses a config that does not match its layers", async () => {
    const lost = compose(emptyImage(amd64, "oci"), { layers: [], created });
    const manifest = { schemaVersion: 2, config: lost.config.descriptor, layers: [layer("app").descriptor] };
    const top = contentOf(MEDIA_TYPES.oci.manifest, Buffer.from(JSON.stringify(manifest)));
    await assert.rejects(resolveImage(top, medium(lost.config), undefined), {
      code: "IMAGE_INVALID",
      message: /1 layers .* 0 diff_ids/,
    });
  });

  for (const [type, what] of [
    ["application/vnd.oci.image.layer.v1.tar+zstd", /gzip layers only/],
    ["application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", /foreign/],
    ["application/x-unknown", /not a layer type/],
  ] as const) {
    it(`refuses a layer of type ${type}`, async () => {
      const descriptor = { ...layer("app").descriptor, mediaType: type };
      const manifest = { schemaVersion: 2, config: image.config.descriptor, layers: [descriptor] };
      const top = contentOf(MEDIA_TYPES.oci.manifest, Buffer.from(JSON.stringify(manifest)));
      await assert.rejects(resolveImage(top, medium(image.config), undefined), {
        code: "IMAGE_UNSUPPORTED",
        message: what,
      });
    });
  }
});

describe("reading content", () => {
  const good = contentOf("text/plain", Buffer.from("twelve bytes"));
  const lying = (text: string): Content => ({ ...good, read: () => contentOf("", Buffer.from(text)).read() });

  it("gives the bytes from where it is asked to", async () => {
    assert.equal(String(await readAll(good)), "twelve bytes");
    let tail = "";
    for await (const chunk of good.read(7)) tail += String(Buffer.from(chunk));
    assert.equal(tail, "bytes");
  });

  for (const [what, text] of [
    ["too many", "twelve bytes!"],
    ["too few", "twelve"],
    ["other", "twelve BYTES"],
  ] as const) {
    it(`notices ${what} bytes`, async () => {
      await assert.rejects(readAll(lying(text)), { code: "CONTENT_MISMATCH" });
    });
  }

  it("never hands out more bytes than the descriptor says", async () => {
    let received = 0;
    await assert.rejects(async () => {
      for await (const chunk of verified(lying("twelve bytes and many more"))) received += chunk.length;
    });
    assert.equal(received, 0);
  });

  it("refuses a document that says it is larger than 4 MiB, without reading it", async () => {
    const huge: Content = {
      ...good,
      descriptor: { ...good.descriptor, size: 5 * 1024 * 1024 },
      read: () => assert.fail("read"),
    };
    await assert.rejects(readAll(huge), { code: "IMAGE_INVALID" });
  });
});
