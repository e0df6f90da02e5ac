import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { type Cache, openCache } from "../../../src/cache/cache.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { type Content, readAll } from "../../../src/oci/content.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { failsWith } from "../../support/errors.ts";
import { contentFrom } from "../../support/images/random-content.ts";
import { fillLayout, layerOf, smallImage } from "../../support/images/small-image.ts";
import { pathsIn, temporaryDirectory } from "../../support/trees.ts";

const temporary = temporaryDirectory();
let count = 0;
const fresh = (): string => join(temporary, `cache-${++count}`);

/** Does `work` with a cache, which is closed afterwards. */
async function using<T>(directory: string | undefined, work: (cache: Cache) => Promise<T>): Promise<T> {
  const cache = await openCache({ directory });
  try {
    return await work(cache);
  } finally {
    await cache.close();
  }
}

/** A content that counts how often it is read. */
function counted(content: Content): Content & { reads: number } {
  const counting = {
    ...content,
    reads: 0,
    async *read(from?: number, signal?: AbortSignal) {
      counting.reads += 1;
      await new Promise(setImmediate);
      yield* content.read(from, signal);
    },
  };
  return counting;
}

describe("keeping a content", () => {
  it("leaves it in a local file, the same in the next process's eyes", async () => {
    const directory = fresh();
    const content = contentFrom("a");
    const kept = await using(directory, (cache) => cache.keep(content));
    assert.deepEqual(kept.descriptor, content.descriptor);
    assert.deepEqual(readFileSync(kept.file ?? ""), Buffer.from(await readAll(content)));
    await using(directory, async (cache) => {
      const found = await cache.find(content.descriptor.digest, content.descriptor.size);
      assert.ok(found);
      assert.deepEqual(
        await readAll({ ...found, descriptor: content.descriptor }),
        Buffer.from(await readAll(content)),
      );
    });
  });

  it("reads it once when many ask for it at the same time", async () => {
    const content = counted(contentFrom("a"));
    await using(fresh(), (cache) => Promise.all(Array.from({ length: 10 }, () => cache.keep(content))));
    assert.equal(content.reads, 1);
  });

  it("keeping a content does not read what is there already", async () => {
    const directory = fresh();
    const content = counted(contentFrom("a"));
    await using(directory, (cache) => cache.keep(content));
    await using(directory, (cache) => cache.keep(content));
    assert.equal(content.reads, 1);
  });

  it("says how many bytes have come", async () => {
    const seen: number[] = [];
    await using(fresh(), (cache) =>
      cache.keep(contentFrom("a", 1234), { onBytes: (bytes) => seen.push(bytes) }),
    );
    assert.deepEqual(seen, [1234]);
  });

  it("reads from any offset, in pieces of 256 KiB", async () => {
    const piece = 256 * 1024;
    const size = 2.5 * piece;
    await using(fresh(), async (cache) => {
      const kept = await cache.keep(contentFrom("large", size));
      const sizes: number[] = [];
      for await (const chunk of kept.read(100)) sizes.push(chunk.length);
      assert.deepEqual(sizes, [piece, piece, size - 100 - 2 * piece]);
    });
  });

  it("keeps nothing of a source that gives other bytes", async () => {
    const directory = fresh();
    const { descriptor } = contentFrom("a");
    const liar = { ...contentFrom("b"), descriptor };
    await using(directory, async (cache) => {
      await assert.rejects(cache.keep(liar), failsWith("CONTENT_MISMATCH", new RegExp(descriptor.digest)));
      assert.equal((await cache.info()).blobs, 0);
      await cache.keep(contentFrom("a"));
    });
    assert.deepEqual(
      pathsIn(directory).filter((path) => path.includes("partial")),
      [],
    );
  });

  it("gives everyone the error of a source that fails, and starts anew afterwards", async () => {
    const content = contentFrom("a");
    let isCut = true;
    const cut = {
      ...content,
      async *read() {
        await new Promise(setImmediate);
        if (isCut) throw new Error("the line is cut");
        yield* content.read();
      },
    };
    await using(fresh(), async (cache) => {
      const results = await Promise.allSettled([cache.keep(cut), cache.keep(cut)]);
      assert.deepEqual(
        results.map(({ status }) => status),
        ["rejected", "rejected"],
      );
      isCut = false;
      await cache.keep(cut);
    });
  });

  it("goes on for the others when the first who asked gives up", async () => {
    const content = contentFrom("a");
    const stop = new AbortController();
    const slow = {
      ...content,
      async *read(_from?: number, signal?: AbortSignal) {
        yield (await readAll(content)).subarray(0, 10);
        stop.abort(new Error("given up"));
        signal?.throwIfAborted();
        yield (await readAll(content)).subarray(10);
      },
    };
    await using(fresh(), async (cache) => {
      const first = cache.keep(slow, { signal: stop.signal });
      const second = cache.keep(content);
      await assert.rejects(first, /given up/);
      assert.ok((await second).file);
    });
  });

  it("lets one who waits give up at once", async () => {
    const content = contentFrom("a");
    let finish = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = {
      ...content,
      async *read() {
        await held;
        yield* content.read();
      },
    };
    await using(fresh(), async (cache) => {
      const first = cache.keep(slow);
      const stop = new AbortController();
      const second = cache.keep(slow, { signal: stop.signal });
      setTimeout(() => stop.abort(new Error("given up")), 20);
      await assert.rejects(second, /given up/);
      finish();
      assert.ok((await first).file);
    });
  });
});

describe("the spool of a cache", () => {
  async function* pieces(): AsyncIterable<Uint8Array> {
    yield Buffer.from("one ");
    yield Buffer.from("two");
  }

  it("names bytes by the digest that they turn out to have", async () => {
    await using(fresh(), async (cache) => {
      const content = await cache.spool.write("text/plain", pieces());
      assert.deepEqual(content.descriptor, { mediaType: "text/plain", digest: digestOf("one two"), size: 7 });
      assert.equal(Buffer.from(await readAll(content)).toString(), "one two");
      assert.ok(await cache.find(digestOf("one two"), 7));
    });
  });

  it("keeps nothing of bytes that end in an error", async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield* pieces();
      throw new Error("the file changed");
    }
    const directory = fresh();
    await using(directory, (cache) =>
      assert.rejects(cache.spool.write("text/plain", failing()), /the file changed/),
    );
    assert.deepEqual(pathsIn(join(directory, "blobs")), ["sha256"]);
  });

  it("keeps nothing when the signal stops it", async () => {
    const stop = new AbortController();
    async function* endless(): AsyncIterable<Uint8Array> {
      for (let count = 0; ; count++) {
        if (count === 5) stop.abort(new Error("stopped"));
        yield Buffer.alloc(1000);
      }
    }
    const directory = fresh();
    await using(directory, (cache) =>
      assert.rejects(cache.spool.write("text/plain", endless(), stop.signal), /stopped/),
    );
    assert.deepEqual(pathsIn(join(directory, "blobs")), ["sha256"]);
  });
});

describe("what a cache remembers", () => {
  it("what a cache remembers is a layer by its fingerprint", async () => {
    const directory = fresh();
    const layer = await layerOf({ "a.txt": "a" });
    await using(directory, async (cache) => {
      await cache.keep(layer);
      await cache.rememberLayer(digestOf("fingerprint"), layer, { files: 1, bytes: 5 });
    });
    await using(directory, async (cache) => {
      const found = await cache.findLayer(digestOf("fingerprint"));
      assert.deepEqual([found?.layer.descriptor, found?.layer.diffId], [layer.descriptor, layer.diffId]);
      assert.deepEqual([found?.files, found?.bytes], [1, 5]);
      assert.equal(await cache.findLayer(digestOf("another")), undefined);
    });
  });

  it("what a cache remembers does not expect a layer whose file has another size, before any byte of it is read", async () => {
    await using(fresh(), async (cache) => {
      const content = await cache.keep(contentFrom("layer"));
      const layer = { ...content, diffId: digestOf("tar") };
      await cache.rememberLayer(digestOf("fingerprint"), layer, { files: 1, bytes: 5 });
      assert.ok(await cache.findLayer(digestOf("fingerprint")));
      truncateSync(content.file ?? "", 2);
      assert.equal(await cache.findLayer(digestOf("fingerprint")), undefined);
    });
  });

  it("what a cache remembers is not a layer whose bytes are gone", async () => {
    await using(fresh(), async (cache) => {
      const layer = await layerOf({ "a.txt": "a" });
      await cache.rememberLayer(digestOf("fingerprint"), layer, { files: 1, bytes: 5 });
      assert.equal(await cache.findLayer(digestOf("fingerprint")), undefined);
    });
  });

  it("what a cache remembers is the manifest that a reference meant last", async () => {
    const directory = fresh();
    const [one, two] = [await smallImage({ text: "one" }), await smallImage({ text: "two" })];
    await using(directory, async (cache) => {
      await cache.rememberManifest("docker.io/library/app:v1 linux/amd64", one.manifest);
      await cache.rememberManifest("docker.io/library/app:v1 linux/amd64", two.manifest);
    });
    await using(directory, async (cache) => {
      const found = await cache.findManifest("docker.io/library/app:v1 linux/amd64");
      assert.deepEqual(found?.descriptor, two.manifest.descriptor);
      assert.equal(await cache.findManifest("docker.io/library/app:v2"), undefined);
    });
  });
});

describe("the directory of a cache", () => {
  it("the directory of a cache is tagged as a cache, so that backup programs leave it out", async () => {
    const directory = fresh();
    await using(directory, (cache) => cache.keep(contentFrom("a")));
    const tag = readFileSync(join(directory, "CACHEDIR.TAG"), "utf8");
    assert.match(tag, /^Signature: 8a477f597d28d172789f06886806bc55\n/);
    assert.ok(statSync(join(directory, "blobs", "sha256")).isDirectory());
  });

  it("the directory of a cache is a private one without a directory, and gone afterwards", async () => {
    const file = await using(undefined, async (cache) => {
      assert.equal(cache.directory, undefined);
      return (await cache.keep(contentFrom("a"))).file ?? "";
    });
    assert.ok(file.startsWith(tmpdir()));
    assert.equal(existsSync(dirname(dirname(dirname(file)))), false);
  });

  it("the directory of a cache is a private one, with a warning that names it, if it cannot be written", async () => {
    const directory = join(temporary, "a-file", "cache");
    writeFileSync(dirname(directory), "");
    const events: BuildEvent[] = [];
    const cache = await openCache({ directory, onEvent: (event) => events.push(event) });
    assert.ok((await cache.keep(contentFrom("a"))).file);
    await cache.close();
    assert.equal(cache.directory, undefined);
    assert.deepEqual(
      events.map((event) => event.type === "warning" && event.message.includes(directory)),
      [true],
    );
  });

  it("the directory of a cache is never a layout that holds images, which pruning would take away", async () => {
    const directory = fresh();
    await fillLayout(directory, { v1: "one" });
    const before = pathsIn(directory);
    const events: BuildEvent[] = [];
    const cache = await openCache({ directory, maxBytes: 0, onEvent: (event) => events.push(event) });
    await cache.keep(contentFrom("a"));
    await cache.close();
    assert.deepEqual(pathsIn(directory), before);
    assert.equal(events[0]?.type === "warning" && /holds images/.test(events[0].message), true);
  });

  it("the directory of a cache has no trace of a process that closed it", async () => {
    const directory = fresh();
    await using(directory, (cache) => cache.keep(contentFrom("a")));
    assert.deepEqual(
      pathsIn(directory).filter((path) => path.includes("partial")),
      [],
    );
  });
});
