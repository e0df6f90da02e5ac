import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { digestOf } from "../../../src/oci/digest.ts";
import { openRepository, type Repository } from "../../../src/registry/repository.ts";
import { describeReal } from "../../support/components/components.ts";
import {
  type Mode,
  PASSWORD,
  type RealRegistry,
  startRegistry,
  USER,
} from "../../support/components/registries.ts";
import { cutterFor } from "../../support/http/cutter.ts";
import {
  answered,
  basicCredentials,
  bytesOf,
  imageOf,
  layerOf,
  NO_CREDENTIALS,
  openedWith,
  pushTo,
} from "../../support/registry/repository.ts";

const MiB = 1024 * 1024;
const LINUX = { os: "linux", architecture: "amd64" };
const CHUNKED = { wholeUpTo: MiB, chunkSize: 4 * MiB };

describeReal(
  "the registry client and Debian's docker-registry",
  ["docker-registry", "htpasswd", "openssl"],
  () => {
    let open: RealRegistry;
    before(async () => {
      open = await startRegistry({ kind: "anonymous" });
    });
    after(() => open.stop());

    const repositoryAt = (host: string, repository = "app", credentials = NO_CREDENTIALS): Repository =>
      openRepository({ registry: host, repository, credentials, environment: {} });

    async function assertPullable(host: string, digest: string): Promise<void> {
      const pulled = await repositoryAt(host).pull(digest, LINUX);
      for (const layer of pulled.layers)
        assert.equal(digestOf(await bytesOf(layer)), layer.descriptor.digest);
    }

    it("move an image there and back", async () => {
      const image = imageOf(layerOf(1000), layerOf(70 * MiB));
      await pushTo(repositoryAt(open.host), image, "v1");
      await assertPullable(open.host, image.manifest.descriptor.digest);
      const requests = await open.requests();
      assert.equal(requests.filter((line) => line.startsWith("PATCH")).length, 0, "it goes in one piece");
    });

    it("mount between repositories", async () => {
      const image = imageOf(layerOf(3 * MiB));
      await pushTo(repositoryAt(open.host, "base"), image, "v1");
      const [layer] = (await repositoryAt(open.host, "base").pull("v1", LINUX)).layers;
      assert.ok(layer);
      assert.equal(await repositoryAt(open.host).put(layer), "mounted");
    });

    it("agree that a second push has nothing to do", async () => {
      const image = imageOf(layerOf(1000));
      await pushTo(repositoryAt(open.host), image, "v2");
      assert.equal(await repositoryAt(open.host).isPublished(image.manifest.descriptor, ["v2"]), true);
    });

    for (const [how, traits] of [
      ["whole", {}],
      ["in chunks", CHUNKED],
    ] as const) {
      it(`survive a cut in the middle of a blob that goes ${how}, which ends the session there`, async () => {
        const cutter = await cutterFor(open);
        const image = imageOf(layerOf(10 * MiB));
        const { repository } = openedWith(cutter, traits);
        cutter.next = { after: 6 * MiB, direction: "up" };
        await pushTo(repository, image, "cut");
        assert.equal(cutter.next, undefined);
        await assertPullable(open.host, image.manifest.descriptor.digest);
        await repository.close();
        cutter.stop();
      });
    }

    it("hear that an upload was stopped", async () => {
      const cutter = await cutterFor(open);
      const { repository } = openedWith(cutter, CHUNKED);
      const stop = new AbortController();
      const onBytes = (sent: number) => sent >= 5 * MiB && stop.abort(new Error("enough"));
      await assert.rejects(repository.put(layerOf(30 * MiB), { signal: stop.signal, onBytes }), /enough/);
      await repository.close();
      cutter.stop();
      // 2.8 answers 404 where it has taken more than our Location tells, and ends the session all the same.
      assert.ok((await open.requests()).some((line) => /^DELETE .*uploads.* (204|404)$/.test(line)));
    });

    async function over(mode: Mode, use: (registry: RealRegistry) => Promise<void>): Promise<void> {
      const registry = await startRegistry(mode, open.storage);
      try {
        await use(registry);
      } finally {
        await registry.stop();
      }
    }

    it("speak with a user and a password", () =>
      over({ kind: "basic" }, async ({ host }) => {
        const image = imageOf(layerOf(MiB));
        await pushTo(repositoryAt(host, "app", basicCredentials(USER, PASSWORD)), image, "basic");
        await assertPullable(open.host, image.manifest.descriptor.digest);
        await assert.rejects(repositoryAt(host).put(layerOf(10)), { code: "CREDENTIALS_INVALID" });
      }));

    it("renew tokens that live for two seconds between the chunks of an upload", () =>
      over({ kind: "token", lifeSeconds: 2 }, async (registry) => {
        const image = imageOf(layerOf(12 * MiB));
        const { repository } = openedWith(registry, CHUNKED, {
          credentials: basicCredentials(USER, PASSWORD),
        });
        const slow = image.layers.map((layer) => ({
          ...layer,
          read: (from = 0) => slowly(layer.read(from)),
        }));
        await pushTo(repository, { ...image, layers: slow }, "token");
        await assertPullable(open.host, image.manifest.descriptor.digest);
      }));

    it("say that a registry is read-only", () =>
      over({ kind: "read-only" }, async ({ host }) => {
        await assert.rejects(repositoryAt(host).put(layerOf(10)), answered(405, { hint: /read-only/ }));
      }));
  },
);

/** A chunk takes longer than a token lives. */
async function* slowly(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  await new Promise((resolve) => setTimeout(resolve, 2200));
  yield* bytes;
}
