import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { build } from "../../../src/commands/build/build.ts";
import { push } from "../../../src/commands/push/push.ts";
import { privateQuirks } from "../../support/ecr/quirks.ts";
import { type EcrWorld, ecrWorld } from "../../support/ecr/world.ts";
import { bytesOf } from "../../support/registry/repository.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";

/** As large as a base is beside an app. */
const base = seededImage("base", 3_000_000, 2_000_000);
let world: EcrWorld;
let app = "";

before(async () => {
  world = await ecrWorld();
  app = join(world.directory, "app");
  mkdirSync(app);
  writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return 1\n");
  const held = world.ecr.repository("base");
  for (const blob of [base.config, ...base.layers]) held.addBlob(await bytesOf(blob));
  held.addManifest(await bytesOf(base.manifest), base.manifest.descriptor.mediaType, "v1");
});
after(() => world.stop());
beforeEach(() => {
  Object.assign(world.ecr.quirks, privateQuirks());
});

const received = (since: number) =>
  world.ecr.log
    .slice(since)
    .filter(({ kind }) => kind === "patch" || kind === "put-blob")
    .reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);

/** Builds the app over the base of the same registry. */
function built(repository: string) {
  world.ecr.repository(repository);
  const common = {
    environment: world.environment,
    cache: false,
    check: false,
    cmd: ["app.handler"],
  } as const;
  const to = `${world.registry}/${repository}:v1`;
  return build({ directory: app, base: `${world.registry}/base:v1`, to, ...common });
}

describe("at ECR nothing moves twice:", () => {
  it("the first push to a new repository sends only the app's bytes if the base can be mounted", async () => {
    world.ecr.quirks.blobMounting = true;
    const since = world.ecr.log.length;
    const { stats } = await built("mounting");
    const sent = received(since);
    assert.ok(sent < 10_000, `${sent} bytes for an app of 50`);
    assert.equal(stats.received, 0);
    assert.equal(world.ecr.storageOrigin.log.filter(({ sentBytes }) => sentBytes > 1_000_000).length, 0);
  });

  it("and where mounts are off the base's layers as well, each once", async () => {
    const since = world.ecr.log.length;
    await built("not-mounting");
    const sent = received(since);
    assert.ok(sent > 5_000_000 && sent < 5_010_000, `${sent} bytes`);
  });

  it("a second push of the same image sends no blob, reads none, and takes at most three requests", async () => {
    const layout = await layOut(world.directory, base);
    world.ecr.repository("again");
    const once = () =>
      push({
        ...{ source: `oci:${layout}:v1`, to: `${world.registry}/again:v1` },
        ...{ environment: world.environment, cache: false },
      });
    await once();
    const since = world.ecr.log.length;
    const { stats } = await once();
    const asked = world.ecr.log.slice(since).filter(({ kind }) => kind !== "ping");
    assert.deepEqual([stats.sent, stats.received, received(since)], [0, 0, 0]);
    assert.ok(asked.length <= 3, asked.map(({ method, path }) => `${method} ${path}`).join("\n"));
  });

  it("a second build of the same app sends no blob either", async () => {
    await built("mounting");
    const since = world.ecr.log.length;
    await built("mounting");
    assert.equal(received(since), 0);
  });
});
