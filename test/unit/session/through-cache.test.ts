import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openCache } from "../../../src/cache/cache.ts";
import type { BuildEvent } from "../../../src/index.ts";
import { type Content, contentOf } from "../../../src/oci/content.ts";
import { fetchInto } from "../../../src/session/through-cache.ts";

/** A blob whose first `damaged` readings give other bytes. */
function damagedAtFirst(damaged: number): { readonly content: Content; readonly readings: () => number } {
  const good = contentOf("application/octet-stream", Buffer.from("the bytes"));
  const bad = contentOf("application/octet-stream", Buffer.from("not these"));
  let readings = 0;
  return {
    content: {
      ...good,
      origin: { registry: "registry.test", repository: "app" },
      read: (...from) => (readings++ < damaged ? bad : good).read(...from),
    },
    readings: () => readings,
  };
}

async function fetch(damaged: number) {
  const cache = await openCache({ directory: undefined });
  const { content, readings } = damagedAtFirst(damaged);
  const retries: BuildEvent[] = [];
  try {
    const error = await fetchInto(cache, content, { emit: (event) => retries.push(event) }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const kept = await cache.find(content.descriptor.digest, content.descriptor.size);
    return { error, kept, retries, readings: readings() };
  } finally {
    await cache.close();
  }
}

describe("fetchInto", () => {
  it("a blob that comes damaged twice is fetched a third time, whole, and each retry is reported", async () => {
    const { error, kept, retries, readings } = await fetch(2);
    assert.equal(error, undefined);
    assert.ok(kept);
    assert.equal(readings, 3);
    assert.deepEqual(
      retries.map((event) => event.type === "retrying" && [event.attempt, event.reason]),
      [
        [2, "CONTENT_MISMATCH"],
        [3, "CONTENT_MISMATCH"],
      ],
    );
  });

  it("a blob that always comes damaged fails after three attempts, names its repository and is not kept", async () => {
    const { error, kept, readings } = await fetch(99);
    assert.match(String(error), /of registry\.test\/app came damaged 3 times/);
    assert.deepEqual([kept, readings], [undefined, 3]);
  });
});
