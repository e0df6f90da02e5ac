import assert from "node:assert/strict";
import { openCache } from "../../../src/cache/cache.ts";
import { readAll } from "../../../src/oci/content.ts";
import { bytesOf, contentFrom } from "../images/random-content.ts";

/**
 * A process of its own that uses a cache as builds do: keeps what all others keep, packs something new, reads both back, and closes,
 * which prunes. `rounds` 0: until it is killed, or for two minutes.
 */
const [directory = "", name = "", rounds = "0"] = process.argv.slice(2);
const SHARED = ["one", "two", "three", "four"];
const MAX_BYTES = 600_000;

async function round(label: string): Promise<void> {
  const cache = await openCache({ directory, maxBytes: MAX_BYTES });
  assert.equal(cache.directory, directory);
  for (const seed of SHARED) await readAll(await cache.keep(contentFrom(seed)));
  const packed = await cache.spool.write("application/x-tar", pieces(label));
  await cache.rememberLayer(
    packed.descriptor.digest,
    { ...packed, diffId: packed.descriptor.digest },
    { files: 1, bytes: 1 },
  );
  const found = await cache.findLayer(packed.descriptor.digest);
  assert.ok(found);
  await readAll(found.layer);
  await cache.close();
}

async function* pieces(label: string): AsyncIterable<Uint8Array> {
  const bytes = bytesOf(label, 100_000);
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}

const isDone = (count: number) => (rounds === "0" ? performance.now() > 120_000 : count >= Number(rounds));

process.stdout.write("started\n");
for (let count = 0; !isDone(count); count++) await round(`${name}-${count}`);
