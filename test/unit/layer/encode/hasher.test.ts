import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { crc32, gunzipSync } from "node:zlib";
import { giveBlock, takeBlock } from "../../../../src/layer/encode/blocks.ts";
import { gzipBlocks } from "../../../../src/layer/encode/gzip.ts";
import { type Hasher, InlineHasher, WorkerHasher } from "../../../../src/layer/encode/hasher.ts";
import { BLOCK } from "../../../../src/layer/encode/limits.ts";
import { pack } from "../../../../src/layer/pack.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { bytesOf as randomBytes } from "../../../support/images/random-content.ts";
import { run, TYPESCRIPT } from "../../../support/run.ts";
import { bytesOf, makeTree, memorySpool, temporaryDirectory } from "../../../support/trees.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

function blockOf(seed: string, length = BLOCK): Buffer {
  const block = takeBlock();
  block.set(randomBytes(seed, length));
  return block.subarray(0, length);
}

/** So many blocks, the last of them a short one. */
function blocksOf(count: number): readonly Buffer[] {
  return Array.from({ length: count }, (_, n) => blockOf(`${n}`, n === count - 1 ? 1000 : BLOCK));
}

describe("WorkerHasher", () => {
  for (const count of [0, 1, 2, 3, 20]) {
    it(`WorkerHasher gives the SHA-256 and the CRC-32 of ${count} blocks`, async () => {
      const blocks = blocksOf(count);
      const sums = new WorkerHasher();
      const added = blocks.map((block) => sums.add(block));
      const totals = await sums.end();
      await Promise.all(added);
      const bytes = Buffer.concat(blocks);
      assert.deepEqual(totals, { digest: digestOf(bytes), crc: crc32(bytes) });
    });
  }

  it("WorkerHasher keeps streams apart that are hashed at the same time", async () => {
    const streams = Array.from({ length: 5 }, (_, n) => blocksOf(n + 2));
    const sums = streams.map(() => new WorkerHasher());
    for (let at = 0; at < 6; at++) {
      for (const [n, stream] of streams.entries()) {
        const block = stream[at];
        if (block) void sums[n]?.add(block);
      }
    }
    const totals = await Promise.all(sums.map((one) => one.end()));
    assert.deepEqual(
      totals.map(({ digest }) => digest),
      streams.map((stream) => digestOf(Buffer.concat(stream))),
    );
  });

  it("WorkerHasher hashes the other streams after one is dropped", async () => {
    const [given, kept] = [new WorkerHasher(), new WorkerHasher()];
    const blocks = blocksOf(3);
    for (const block of blocks) {
      void given.add(block);
      void kept.add(block);
    }
    given.drop();
    assert.equal((await kept.end()).digest, digestOf(Buffer.concat(blocks)));
  });
});

describe("blocks that are used again", () => {
  /** Overwrites what is given back at once, as the next file would. */
  const overwrite = (block: Buffer) => void Buffer.from(block.buffer).fill(0xff);

  function* source(): Generator<Buffer> {
    for (let n = 0; n < 40; n++) {
      const block = Buffer.from(new SharedArrayBuffer(BLOCK));
      // Every third block is stored, so that it waits for its turn as it is.
      block.set(n % 3 === 0 ? randomBytes(`${n}`, BLOCK) : Buffer.alloc(BLOCK, `words of ${n} `));
      yield block;
    }
  }

  it("gzipBlocks gives a block back only when it was deflated or stored, and hashed", async () => {
    const expected = Buffer.concat([...source()]);
    const here = new InlineHasher();
    let adding = Promise.resolve();
    const late: Hasher = {
      drop: () => undefined,
      add(block) {
        adding = adding.then(() => wait(5)).then(() => here.add(block));
        return adding;
      },
      end: () => adding.then(() => here.end()),
    };
    for (const hasher of [new WorkerHasher(), new InlineHasher(), late]) {
      const zipped = gzipBlocks(source(), { level: 4, hasher, give: overwrite });
      const chunks: Uint8Array[] = [];
      for (;;) {
        const next = await zipped.next();
        if (next.done) {
          assert.equal(next.value.digest, digestOf(expected));
          break;
        }
        chunks.push(next.value);
      }
      assert.ok(gunzipSync(Buffer.concat(chunks)).equals(expected));
    }
  });

  it("pack keeps the blocks of layers apart that are packed at the same time", async () => {
    const options = { spool: memorySpool, level: 1, mtime: new Date(0), mediaType: "application/gzip" };
    const layers = await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        const content = Buffer.concat([
          randomBytes(`${n}`, 3 * BLOCK),
          Buffer.alloc(20 * BLOCK, `text ${n} `),
        ]);
        const directory = makeTree({ large: content });
        const entry = { kind: "file", path: "large", mode: 0o644, size: content.length } as const;
        const layer = await pack([{ ...entry, source: join(directory, "large") }], options);
        const tar = gunzipSync(await bytesOf(layer.read()));
        return {
          isWhole: tar.subarray(512, 512 + content.length).equals(content),
          isNamed: digestOf(tar) === layer.diffId,
        };
      }),
    );
    assert.ok(layers.every(({ isWhole, isNamed }) => isWhole && isNamed));
  });

  it("gzipBlocks begins a layer while another one has all threads", async () => {
    const zip = async (seed: string): Promise<Buffer> => {
      const blocks = Array.from({ length: 20 }, (_, n) =>
        Buffer.from(blockOf(`${seed}${n}`).toString("base64")),
      );
      const source = blocks.map((block) => takeBlock().fill(block));
      const options = { level: 1, hasher: new WorkerHasher() };
      const expected = digestOf(Buffer.concat(source));
      const zipped = await bytesOf(gzipBlocks(source, options));
      assert.equal(digestOf(gunzipSync(zipped)), expected);
      return zipped;
    };
    const first = zip("first");
    for (let turn = 0; turn < 1000; turn++) await null; // it takes what it can, and no thread has answered yet
    await Promise.all([first, zip("second")]);
  });

  it("gzipBlocks holds at most 17 blocks of a large file", async () => {
    let most = 0;
    let inUse = 0;
    const give = (block: Buffer) => {
      inUse -= 1;
      giveBlock(block);
    };
    function* zeros(): Generator<Buffer> {
      for (let n = 0; n < 100; n++) {
        most = Math.max(most, ++inUse);
        yield takeBlock().fill(0);
      }
    }
    for await (const _ of gzipBlocks(zeros(), { level: 1, hasher: new WorkerHasher(), give }));
    assert.ok(most <= 17, `${most} blocks`);
  });
});

describe("the hashing thread", () => {
  const tree = makeTree({ large: Buffer.alloc(5 * BLOCK, "text") });

  /** What `layer-digest.ts` of the sources in `directory` says, in a process of its own. */
  function digestBy(directory: string, flags: readonly string[] = []): Promise<string> {
    const script = join(directory, "test/support/processes/layer-digest.ts");
    return run(process.execPath, [...TYPESCRIPT, ...flags, script, tree], { cwd: root });
  }

  it("pack gives the same layer when the worker file is missing", async () => {
    const directory = temporaryDirectory();
    for (const part of ["package.json", "src", "test/support"])
      cpSync(join(root, part), join(directory, part), { recursive: true });
    rmSync(join(directory, "src/layer/encode/worker.ts"));
    assert.equal(await digestBy(directory), await digestBy(root));
  });

  it("WorkerHasher starts no thread for one block, and its thread keeps no process alive", () => {
    const script = `
      const { WorkerHasher } = await import("./src/layer/encode/hasher.ts");
      const { BLOCK } = await import("./src/layer/encode/limits.ts");
      const threads = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort" || name === "Worker").length;
      const count = async (blocks) => {
        const sums = new WorkerHasher();
        for (let n = 0; n < blocks; n++) void sums.add(Buffer.from(new SharedArrayBuffer(BLOCK)));
        const started = threads();
        await sums.end();
        return started;
      };
      console.log(await count(1) > 0, await count(3) > 0);`;
    const flags = [...TYPESCRIPT, "--input-type=module", "-e", script];
    assert.equal(
      execFileSync(process.execPath, flags, { cwd: root, encoding: "utf8", timeout: 60_000 }).trim(),
      "false true",
    );
  });
});
