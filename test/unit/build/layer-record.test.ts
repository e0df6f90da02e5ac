import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { build } from "../../../src/index.ts";
import { digestOf } from "../../../src/oci/digest.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

it("a build does not use a layer whose cache record names another diffID than its fingerprint", async () => {
  const directory = makeTree({ "index.mjs": "export const handler = async () => 1;\n" });
  const cacheDirectory = join(temporaryDirectory(), "cache");
  const run = () =>
    build({
      ...{ directory, base: "scratch", cmd: ["index.handler"], check: false, environment: {} },
      ...{ to: `oci:${join(temporaryDirectory(), "out")}`, cacheDir: cacheDirectory },
    });
  const first = await run();
  assert.equal((await run()).layers[0]?.how, "cached");
  for (const name of readdirSync(join(cacheDirectory, "layers"))) {
    const path = join(cacheDirectory, "layers", name);
    const { key, value } = JSON.parse(readFileSync(path, "utf8").split("\n")[1] ?? "");
    const line = JSON.stringify({ key, value: { ...value, diffId: digestOf("other files") } });
    writeFileSync(path, `${digestOf(line)}\n${line}\n`);
  }
  const { digest, layers } = await run();
  assert.deepEqual([digest, layers[0]?.how], [first.digest, "built"]);
});
