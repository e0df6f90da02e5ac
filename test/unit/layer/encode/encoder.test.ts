import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { constants, deflateRawSync } from "node:zlib";
import { encoderOf, sample } from "../../../../src/layer/encode/encoder.ts";
import { deflateWithPako } from "../../../../src/layer/encode/pako.ts";
import { run, TYPESCRIPT } from "../../../support/run.ts";
import { makeTree, noise, temporaryDirectory } from "../../../support/trees.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** As deflate.ts calls it. */
function withZlib(block: Buffer, dictionary: Buffer | undefined, level: number, memLevel = 9): Buffer {
  return deflateRawSync(block, {
    level,
    memLevel,
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(dictionary && { dictionary }),
  });
}

const words = Buffer.from(
  Array.from({ length: 4000 }, (_, n) => `export function f${n % 977}() { return ${n * 7919}; }\n`).join(""),
);
const blocks: Readonly<Record<string, Buffer>> = {
  "source text": words,
  "random bytes": noise(100_000),
  zeros: Buffer.alloc(256 * 1024),
  "one byte": Buffer.of(7),
  "random bytes and text in turns": Buffer.concat([noise(20_000, 2), words, noise(20_000, 3), words]),
  "the sample": sample(),
};

describe("the encoder", () => {
  for (let level = 1; level <= 9; level++) {
    it(`encoderOf takes the zlib of this Node at level ${level}`, () =>
      assert.equal(encoderOf(level), "zlib"));

    it(`pako gives the bytes of node:zlib at level ${level}, with and without a dictionary`, () => {
      for (const [what, block] of Object.entries(blocks)) {
        for (const dictionary of [undefined, words.subarray(-32 * 1024)]) {
          const expected = withZlib(block, dictionary, level);
          assert.ok(expected.equals(deflateWithPako(block, dictionary, level)), what);
        }
      }
    });
  }

  it("pack gives the same digest with a zlib that deflates otherwise, through pako", async () => {
    const directory = temporaryDirectory();
    const foreign = join(directory, "foreign-zlib.mjs");
    writeFileSync(
      foreign,
      `import { createRequire, syncBuiltinESMExports } from "node:module";
       const zlib = createRequire(import.meta.url)("node:zlib");
       const { deflateRaw, deflateRawSync } = zlib;
       zlib.deflateRaw = (bytes, options, done) => deflateRaw(bytes, { ...options, strategy: 2 }, done);
       zlib.deflateRawSync = (bytes, options) => deflateRawSync(bytes, { ...options, strategy: 2 });
       syncBuiltinESMExports();`,
    );
    const tree = makeTree({ "app.js": words, large: Buffer.concat([words, noise(2_000_000), words]) });
    mkdirSync(join(tree, "empty"));
    const script = join(root, "test/support/processes/layer-digest.ts");
    const own = await run(process.execPath, [...TYPESCRIPT, script, tree], { cwd: root });
    const flags = ["--import", foreign];
    const other = await run(process.execPath, [...TYPESCRIPT, ...flags, script, tree], { cwd: root });
    assert.match(own, / zlib$/m);
    assert.equal(other, own.replaceAll(/ zlib$/gm, " pako"));
  });
});
