import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { type BuildEvent, build, push } from "../../../src/index.ts";
import { type Digest, digestOf } from "../../../src/oci/digest.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry, type TestRegistryOptions } from "../../support/registry/registry.ts";
import type { RequestKind } from "../../support/registry/request.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";
import { temporaryDirectory } from "../../support/trees.ts";

async function start(t: TestContext, options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const registry = await TestRegistry.start({ user: "me", password: "secret", ...options });
  t.after(() => registry.stop());
  return registry;
}

/** A user with a home and a cache, and with a login where the registry wants one. */
function user(registry: TestRegistry) {
  const home = temporaryDirectory();
  const auth = Buffer.from("me:secret").toString("base64");
  const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { [registry.host]: { auth } } });
  const login = (registry.options.auth ?? "anonymous") === "anonymous" ? {} : { DOCKER_AUTH_CONFIG };
  return { cacheDir: join(home, "cache"), environment: { HOME: home, ...login } };
}

/** The kinds of the requests that `work` makes, sorted, with how many of each. */
async function asked(
  registry: TestRegistry,
  work: () => Promise<unknown>,
): Promise<Partial<Record<RequestKind, number>>> {
  const before = registry.requests.length;
  await work();
  const counts: Partial<Record<RequestKind, number>> = {};
  for (const { kind } of registry.requests.slice(before)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** Two layers, one of them large enough to be remembered, and a config. */
const IMAGE = seededImage("requests", 100_000, 2000);
const FIRST = { "head manifest": 1, "head blob": 3, "start upload": 3, "put upload": 3, "put manifest": 1 };

describe("the requests of a push", () => {
  it("the requests of a push are for a new image one HEAD of the tag, and a HEAD, a POST and a PUT of each blob", async (t) => {
    const registry = await start(t);
    const source = `oci:${await layOut(temporaryDirectory(), IMAGE)}:v1`;
    const to = `${registry.host}/app:v1`;
    assert.deepEqual(await asked(registry, () => push({ source, to, ...user(registry) })), FIRST);
  });

  it("the requests of a push are for an unchanged image one HEAD, and with it the login", async (t) => {
    for (const auth of ["anonymous", "basic", "token"] as const) {
      const registry = await start(t, { auth });
      const source = `oci:${await layOut(temporaryDirectory(), IMAGE)}:v1`;
      const to = `${registry.host}/app:v1`;
      await push({ source, to, ...user(registry) });
      const again = await asked(registry, () => push({ source, to, ...user(registry) }));
      // A registry that wants a login says so in its answer to the first request.
      const expected = {
        anonymous: { "head manifest": 1 },
        basic: { "head manifest": 2 },
        token: { "head manifest": 2, token: 1 },
      }[auth];
      assert.deepEqual(again, expected, auth);
    }
  });

  it("the requests of a push are for a second build of an unchanged directory the base's tag, one HEAD and the login", async (t) => {
    const registry = await start(t, { auth: "token" });
    await publishBase(registry, "bases/python", "3.12", lambdaBase());
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "app.py"), "def handler(event, context): return 1\n");
    const base = `${registry.host}/bases/python:3.12`;
    const options = {
      directory,
      base,
      handler: "app.handler",
      to: `${registry.host}/app:v1`,
      ...user(registry),
    };
    await build(options);
    const again = await asked(registry, () => build(options));
    const { token = 0, ...others } = again;
    assert.ok(token <= 2, "one token for each repository");
    const manifests = (others["head manifest"] ?? 0) + (others["get manifest"] ?? 0);
    // Each repository's first request is told how to log in, and repeated.
    assert.ok(manifests <= 4, JSON.stringify(again));
    assert.deepEqual(
      Object.keys(others).filter((kind) => !kind.endsWith(" manifest")),
      [],
    );
  });

  it("the requests of a push are for two tags of one repository those of one, and a HEAD and a PUT of the second tag", async (t) => {
    const registry = await start(t);
    const source = `oci:${await layOut(temporaryDirectory(), IMAGE)}:v1`;
    const to = `${registry.host}/app`;
    const counts = await asked(registry, () => push({ source, to, tag: ["a", "b"], ...user(registry) }));
    assert.deepEqual(counts, { ...FIRST, "head manifest": 2, "put manifest": 2 });
    const again = await asked(registry, () => push({ source, to, tag: ["a", "b"], ...user(registry) }));
    assert.deepEqual(again, { "head manifest": 2 });
  });

  it("to two repositories of a registry send each blob once and mount it in the other", async (t) => {
    const registry = await start(t);
    const source = `oci:${await layOut(temporaryDirectory(), IMAGE)}:v1`;
    const to = [`${registry.host}/one:v1`, `${registry.host}/two:v1`];
    const counts = await asked(registry, () => push({ source, to, ...user(registry) }));
    const each = { "head manifest": 2, "head blob": 6, "put manifest": 2 };
    assert.deepEqual(counts, { ...each, "start upload": 3, "put upload": 3, mount: 3 });
  });
});

describe("the cache's memory of where a blob was sent", () => {
  const large = IMAGE.layers[0]?.descriptor.digest;

  async function pushed(t: TestContext, options: TestRegistryOptions = {}) {
    const registry = await start(t, options);
    const source = `oci:${await layOut(temporaryDirectory(), IMAGE)}:v1`;
    const own = user(registry);
    await push({ source, to: `${registry.host}/one:v1`, ...own });
    const events: BuildEvent[] = [];
    const to = `${registry.host}/two:v1`;
    const again = (more: object = {}) =>
      push({ source, to, ...own, onEvent: (event) => events.push(event), ...more });
    const how = (digest: Digest | undefined) =>
      events.flatMap((event) => (event.type === "blob-done" && event.digest === digest ? [event.how] : []));
    return { registry, again, how };
  }

  it("mounts a layer that another repository of the registry was sent by an earlier command", async (t) => {
    const { registry, again, how } = await pushed(t);
    const counts = await asked(registry, again);
    assert.deepEqual(counts, { ...FIRST, "start upload": 2, "put upload": 2, mount: 1 });
    assert.deepEqual(how(large), ["mounted"]);
  });

  it("asks a token server for both repositories, and sends the layer if it gives no token", async (t) => {
    const { registry, again, how } = await pushed(t, { auth: "token" });
    registry.fault = ({ kind, query }) =>
      kind === "token" && query.getAll("scope").length > 1 ? { kind: "answer", status: 403 } : undefined;
    await again();
    assert.deepEqual(how(large), ["uploaded"]);
  });

  for (const status of [202, 400, 403, 404, 405, 500, 503] as const) {
    it(`sends the layer if the registry answers ${status} to the mount`, async (t) => {
      const { registry, again, how } = await pushed(t);
      registry.fault = ({ kind }) => {
        if (kind !== "mount") return undefined;
        if (status !== 202) return { kind: "answer", status };
        registry.removeBlob("one", String(large));
        return undefined;
      };
      await again();
      assert.deepEqual(how(large), ["uploaded"]);
      assert.equal(digestOf(registry.blob("two", String(large)) ?? ""), large);
    });
  }

  it("the cache's memory of where a blob was sent is not used without a cache", async (t) => {
    const { registry, again } = await pushed(t);
    const counts = await asked(registry, () => again({ cache: false }));
    assert.deepEqual(counts, FIRST);
  });
});
