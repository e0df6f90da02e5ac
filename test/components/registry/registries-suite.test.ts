import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { push } from "../../../src/commands/push/push.ts";
import type { BuildEvent } from "../../../src/events.ts";
import type { PushResult } from "../../../src/index.ts";
import { describeReal } from "../../support/components/components.ts";
import {
  type Mode,
  PASSWORD,
  type RealRegistry,
  startRegistry,
  TLS_HOST,
  USER,
} from "../../support/components/registries.ts";
import { trustedAuthority } from "../../support/ecr/trust.ts";
import { CertificateAuthority } from "../../support/http/certificates.ts";
import { type Cutter, cutterFor } from "../../support/http/cutter.ts";
import { answered, type TestImage } from "../../support/registry/repository.ts";
import { layOut, seededImage, sha256 } from "../../support/reliability/image.ts";

const MiB = 1024 * 1024;
/** The second layer is larger than what is checked before it is handed on. */
const image = seededImage("real registries", 200_000, 6 * MiB, 100_000);
const DIGEST = image.manifest.descriptor.digest;

const identity = new CertificateAuthority(trustedAuthority()).leaf(TLS_HOST);
const MODES: Readonly<Record<string, Mode>> = {
  anonymous: { kind: "anonymous" },
  "with a user and a password": { kind: "basic" },
  "over TLS": { kind: "tls", identity },
  "with tokens that live for two seconds": { kind: "token", lifeSeconds: 2 },
};

describeReal("the same suite against docker-registry", ["docker-registry", "htpasswd", "openssl"], () => {
  /** Over the data that all share: what a read-only registry holds came in through it. */
  let open: RealRegistry;
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-suite-"));
  let layout = "";
  before(async () => {
    open = await startRegistry({ kind: "anonymous" });
    layout = await layOut(directory, image);
  });
  after(async () => {
    await open?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const [name, mode] of Object.entries(MODES)) {
    describe(name, () => suite(mode.kind, () => startRegistry(mode, open.storage)));
  }
  describe("read-only", () => readOnlySuite(() => startRegistry({ kind: "read-only" }, open.storage)));

  function suite(repository: string, start: () => Promise<RealRegistry>): void {
    const world = opened(start);
    const app = () => `${world.host()}/${repository}/app:v1`;

    it("a push arrives", async () => {
      assert.equal((await moved(world, `oci:${layout}:v1`, app())).digest, DIGEST);
      assertWhole(await pulled(world, app()), image);
    });

    it("a second push sends no byte of a blob, and at most three requests after authentication", async () => {
      const before = (await world.registry().requests()).length;
      const { stats } = await moved(world, `oci:${layout}:v1`, app());
      const asked = (await world.registry().requests()).slice(before);
      const told = asked.filter((line) => !/^GET \/v2\/ | 401$/.test(line));
      assert.deepEqual([stats.sent, stats.received], [0, 0]);
      assert.ok(told.length <= 3, told.join("\n"));
    });

    it("a pull gives every blob as it is", async () => assertWhole(await pulled(world, app()), image));

    it("a push whose connection is cut in the middle of a blob arrives", async () => {
      const cut = seededImage(`cut ${repository}`, 5 * MiB);
      const source = `oci:${await layOut(directory, cut)}:v1`;
      const to = (host: string) => `${host}/${repository}/cut:v1`;
      world.cutter().next = { after: 2 * MiB, direction: "up" };
      await moved(world, source, to(world.cutter().host));
      assert.equal(world.cutter().next, undefined, "the cut never came");
      assertWhole(await pulled(world, to(world.host())), cut);
    });

    it("a pull whose connection is cut in the middle of a blob goes on where it was", () =>
      resumes(world, repository));

    it("another repository mounts what this one has", async () => {
      const { stats } = await moved(world, app(), `${world.host()}/${repository}/other:v1`);
      assert.deepEqual([stats.sent, stats.received], [image.config.descriptor.size, 0]);
      const asked = await world.registry().requests();
      const mounts = asked.filter((line) => /^POST .*mount=.* 201$/.test(line));
      assert.equal(mounts.length, image.layers.length, mounts.join("\n"));
    });

    it("more tags name the same manifest", async () => {
      const reference = `${world.host()}/${repository}/app`;
      await moved(world, `oci:${layout}:v1`, `${reference}:v2`, { tag: ["v3"] });
      for (const tag of ["v2", "v3"])
        assert.equal((await moved(world, `${reference}:${tag}`, out())).digest, DIGEST);
    });

    it("an image that is not there is told so", () =>
      assert.rejects(moved(world, `${world.host()}/${repository}/app:nowhere`, out()), {
        code: "IMAGE_NOT_FOUND",
        message: new RegExp(`${repository}/app`),
      }));

    it("no output has a secret", () => assert.ok(!world.said().includes(PASSWORD)));
  }

  /** What differs where a registry is read-only: nothing can be sent, tagged or mounted; what is there already counts as sent. */
  function readOnlySuite(start: () => Promise<RealRegistry>): void {
    const world = opened(start);
    const refused = answered(405, { code: "REGISTRY_ANSWER", hint: /read-only/ });
    const app = () => `${world.host()}/read-only/app:v1`;
    before(() => moved(world, `oci:${layout}:v1`, `${open.host}/read-only/app:v1`));

    it("a push of something new is refused, and says why", async () => {
      const fresh = await layOut(directory, seededImage("fresh", 1000));
      await assert.rejects(moved(world, `oci:${fresh}:v1`, `${world.host()}/read-only/fresh:v1`), refused);
    });

    it("a push of what is there under its tag is done without a byte", async () => {
      const { stats, digest } = await moved(world, `oci:${layout}:v1`, app());
      assert.deepEqual([digest, stats.sent], [DIGEST, 0]);
    });

    it("a pull gives every blob as it is", async () => assertWhole(await pulled(world, app()), image));

    it("a pull whose connection is cut in the middle of a blob goes on where it was", () =>
      resumes(world, "read-only"));

    it("another repository cannot mount, another tag cannot be written", async () => {
      await assert.rejects(moved(world, app(), `${world.host()}/read-only/other:v1`), refused);
      await assert.rejects(moved(world, app(), `${world.host()}/read-only/app:v2`), refused);
    });

    it("an image that is not there is told so", () =>
      assert.rejects(moved(world, `${world.host()}/read-only/app:nowhere`, out()), {
        code: "IMAGE_NOT_FOUND",
      }));
  }

  const out = () => `oci:${mkdtempSync(join(directory, "out-"))}:v1`;

  /** A registry and a cutter before it, for the tests of one mode; and all that was said in them. */
  function opened(start: () => Promise<RealRegistry>) {
    const events: BuildEvent[] = [];
    const errors: unknown[] = [];
    let registry: RealRegistry;
    let cutter: Cutter;
    before(async () => {
      registry = await start();
      cutter = await cutterFor(registry);
    });
    after(async () => {
      cutter?.stop();
      await registry?.stop();
    });
    return {
      registry: () => registry,
      cutter: () => cutter,
      host: () => registry.host,
      onEvent: (event: BuildEvent) => void events.push(event),
      onError: (error: unknown) => void errors.push(error),
      said: () => JSON.stringify(events) + inspect(errors, { depth: 9 }),
    };
  }

  type World = ReturnType<typeof opened>;

  async function moved(
    world: World,
    source: string,
    to: string,
    more: { readonly tag?: readonly string[] } = {},
  ): Promise<PushResult> {
    const auth = Buffer.from(`${USER}:${PASSWORD}`).toString("base64");
    const hosts = [world.host(), world.cutter().host];
    const auths = Object.fromEntries(hosts.map((host) => [host, { auth }]));
    const environment = { HOME: directory, DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) };
    try {
      return await push({ source, to, environment, cache: false, onEvent: world.onEvent, ...more });
    } catch (error) {
      world.onError(error);
      throw error;
    }
  }

  async function pulled(world: World, from: string): Promise<string> {
    const to = out();
    await moved(world, from, to);
    return to.slice("oci:".length, -":v1".length);
  }

  async function resumes(world: World, repository: string): Promise<void> {
    world.cutter().next = { after: 3 * MiB, direction: "down" };
    const path = await pulled(world, `${world.cutter().host}/${repository}/app:v1`);
    assert.equal(world.cutter().next, undefined, "the cut never came");
    assertWhole(path, image);
    const asked = await world.registry().requests();
    assert.ok(
      asked.some((line) => / 206$/.test(line)),
      "it went on with a Range",
    );
  }
});

/** By nothing of the product. */
function assertWhole(layout: string, { manifest, config, layers }: TestImage): void {
  for (const { descriptor } of [manifest, config, ...layers]) {
    const file = join(layout, "blobs", descriptor.digest.replace(":", "/"));
    assert.ok(existsSync(file), `${descriptor.digest} is missing`);
    assert.equal(sha256(readFileSync(file)), descriptor.digest);
  }
}
