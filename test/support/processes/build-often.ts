import { join } from "node:path";
import { build } from "../../../src/index.ts";

/**
 * A process of its own that builds a directory again and again, with another SOURCE_DATE_EPOCH each time, so that there always is something to pack,
 * into a layout of its own. `rounds` 0: until it is killed, or for two minutes. Prints the digest of the last build.
 */
const [directory = "", cacheDirectory = "", out = "", rounds = "1", seed = "0"] = process.argv.slice(2);

const buildAt = (epoch: number) =>
  build({
    directory,
    base: "scratch",
    check: false,
    cmd: ["main"],
    to: `oci:${join(out, "image")}`,
    cacheDir: cacheDirectory,
    environment: { SOURCE_DATE_EPOCH: String(epoch) },
  });

process.stdout.write("started\n");
const isDone = (count: number) => (rounds === "0" ? performance.now() > 120_000 : count >= Number(rounds));
for (let count = 1; !isDone(count); count++) await buildAt(1000 + Number(seed) * 1000 + count);
const { digest } = await buildAt(1);
process.stdout.write(`${digest}\n`);
