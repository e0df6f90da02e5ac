/** Packs a directory as `build` would and prints what it became, and the diffId that it was known by before: layer-digest.ts DIRECTORY. For tests that need other environments. */
import { collect } from "../../../src/layer/collect.ts";
import { encoderOf } from "../../../src/layer/encode/encoder.ts";
import { diffIdOf } from "../../../src/layer/keys.ts";
import { pack } from "../../../src/layer/pack.ts";
import { split } from "../../../src/layer/split.ts";
import { memorySpool } from "../trees.ts";

const [directory = "."] = process.argv.slice(2);
const options = { spool: memorySpool, level: 4, mtime: new Date(0), mediaType: "application/gzip" };
for (const { name, entries } of split(await collect({ directory, target: "/var/task" }))) {
  const before = await diffIdOf(entries, options);
  const layer = await pack(entries, options);
  process.stdout.write(
    `${name} ${layer.descriptor.digest} ${layer.diffId} ${before} ${encoderOf(options.level)}\n`,
  );
}
