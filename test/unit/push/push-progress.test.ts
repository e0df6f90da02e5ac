import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, push } from "../../../src/index.ts";
import { TestRegistry } from "../../support/registry.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";
import { temporaryFolder } from "../../support/trees.ts";

const LAYERS = 9;
/** Nothing is sent in this time where the code is broken. */
const LIMIT_MS = 20_000;

let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
});
after(() => registry.stop());

describe("the progress of a push", () => {
  it("names every blob that will be sent before the first is through", async () => {
    const image = seededImage("queued", ...Array.from({ length: LAYERS }, (_, index) => 1000 + index));
    const layout = await layOut(temporaryFolder(), image);
    // No upload ends: what is told is told before.
    registry.fault = ({ kind }) => (kind === "put upload" ? { kind: "silence" } : undefined);
    const stop = new AbortController();
    const limit = setTimeout(() => stop.abort(), LIMIT_MS);
    const queued = new Map<string, number>();
    const onEvent = (event: BuildEvent): void => {
      if (event.type === "blob-progress") queued.set(event.digest, event.size);
      if (queued.size === LAYERS + 1) stop.abort();
    };
    const to = `${registry.host}/queued:v1`;
    const pushing = push({
      source: `oci:${layout}:v1`,
      to,
      jobs: 2,
      cache: false,
      signal: stop.signal,
      onEvent,
    });
    await assert.rejects(pushing, { code: "ABORTED" });
    clearTimeout(limit);
    const sizes = [image.config, ...image.layers].map(({ descriptor }) => descriptor.size);
    assert.deepEqual(
      [...queued.values()].sort((a, b) => a - b),
      sizes.sort((a, b) => a - b),
    );
  });
});
