import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { digestOf } from "../src/oci/digest.ts";
import { TestRegistry, type TestRegistryOptions } from "./support/registry.ts";
import { basicCredentials, bytesOf, imageOf, layerOf, opened, pushTo } from "./support/repository.ts";

const started: TestRegistry[] = [];

async function start(options?: TestRegistryOptions): Promise<TestRegistry> {
  const registry = await TestRegistry.start(options);
  started.push(registry);
  return registry;
}

afterEach(async () => {
  for (const registry of started.splice(0)) await registry.stop();
});

const LINUX = { os: "linux", architecture: "amd64" };

describe("a repository", () => {
  it("gives back by tag what was put and published", async () => {
    const registry = await start();
    const { repository } = opened(registry);
    const image = imageOf(layerOf(1000), layerOf(200_000));
    await pushTo(repository, image, "v1");
    const pulled = await repository.pull("v1", LINUX);
    assert.equal(pulled.manifest.descriptor.digest, image.manifest.descriptor.digest);
    for (const [index, layer] of pulled.layers.entries()) {
      assert.equal(digestOf(await bytesOf(layer)), image.layers[index]?.descriptor.digest);
    }
    await repository.close();
  });

  for (const auth of ["basic", "token"] as const) {
    it(`speaks ${auth} authentication`, async () => {
      const registry = await start({ auth });
      const { repository } = opened(registry, { credentials: basicCredentials() });
      const image = imageOf(layerOf(1000));
      await pushTo(repository, image, "v1");
      await repository.pull("v1", LINUX);
      await repository.close();
      assert.equal(registry.tag("app", "v1"), image.manifest.descriptor.digest);
    });
  }
});
