import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { push } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { failsWith } from "../../support/errors.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const { config: configType, layer: layerType, manifest: manifestType } = MEDIA_TYPES.oci;

/** Publishes an image whose layers are said to have these sizes. */
function publish(registry: TestRegistry, ...sizes: readonly number[]): void {
  const digests = sizes.map((_, index) => digestOf(`layer ${index}`));
  const config = Buffer.from(
    JSON.stringify({
      ...{ os: "linux", architecture: "amd64", config: {} },
      rootfs: { type: "layers", diff_ids: digests },
    }),
  );
  const digest = registry.addBlob("app", config);
  const manifest = {
    ...{ schemaVersion: 2, mediaType: manifestType },
    config: { mediaType: configType, digest, size: config.length },
    layers: sizes.map((size, index) => ({ mediaType: layerType, digest: digests[index], size })),
  };
  registry.addManifest("app", manifestType, Buffer.from(JSON.stringify(manifest)), "v1");
}

describe("push of an image from a registry", () => {
  for (const [what, sizes] of Object.entries({
    "a layer that is said to have a terabyte": [1e12],
    "layers that have more than 10 GB only together": [6e9, 6e9],
  })) {
    it(`refuses ${what} before it is downloaded`, async (t) => {
      const registry = await TestRegistry.start();
      t.after(() => registry.stop());
      publish(registry, ...sizes);
      const cacheDir = join(temporaryDirectory(), "cache");
      const pushing = push({
        source: `${registry.host}/app:v1`,
        to: `oci:${join(temporaryDirectory(), "copy")}`,
        ...{ cacheDir, environment: {} },
      });
      await assert.rejects(pushing, failsWith("IMAGE_INVALID", /layers of \d+ GB compressed/));
      const asked = registry.seen("get blob").map(({ reference }) => reference);
      assert.ok(!asked.includes(digestOf("layer 0")), asked.join(" "));
      assert.ok(readdirSync(cacheDir).every((name) => !name.endsWith(".partial")));
    });
  }
});
