import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildOptions, build } from "../../../src/index.ts";
import { failsWith } from "../../support/errors.ts";
import { elf } from "../../support/formats/elf.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { imageWith, inLayout } from "../../support/images/compose-image.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(event, context): return event\n" };
const awsBase = { entrypoint: ["/lambda-entrypoint.sh"], workingDir: "/var/task" };

async function buildWith(options: Partial<BuildOptions>, tree: Tree = APP) {
  const out = join(temporaryDirectory(), "out");
  const result = await build({
    directory: makeTree(tree),
    base: await inLayout(
      await imageWith(
        [{ bin: null, "bin/sh": { text: "#!", mode: 0o755 }, var: null, "var/task": null }],
        awsBase,
      ),
    ),
    to: `oci:${out}:latest`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    ...options,
  });
  const files = await filesInLayout(out);
  return { result, files, names: result.layers.map(({ name }) => name) };
}

describe("build --add", () => {
  it("build --add packs another directory to its target, by its own ignore file and in a layer of its own", async () => {
    const shared = makeTree({
      "lib.py": "X = 1\n",
      "notes.md": "1",
      ".dockerignore": "*.md\n",
      "bin/run": { file: "#!/bin/sh\n", mode: 0o700 },
    });
    const { files, names } = await buildWith({ add: `${shared}:/var/task/shared`, exclude: "lib.py" });
    assert.deepEqual(
      [...files].map(([path, { mode, layer }]) => `${path} ${mode} [${layer}]`),
      [
        "var/task/shared/bin/run 755 [add /var/task/shared]",
        "var/task/shared/lib.py 644 [add /var/task/shared]",
        "var/task/app.py 644 [app]",
      ],
    );
    assert.deepEqual(names, ["base 1", "add /var/task/shared", "app"]);
  });

  it("build --add finds the handler in the directory that it adds", async () => {
    const code = makeTree({ "main.py": "def run(event, context): return event\n" });
    const { result } = await buildWith(
      { add: `${code}:/var/task/code`, handler: "code/main.run" },
      { "a.txt": "1" },
    );
    assert.equal(result.handler, "code/main.run");
  });

  it("build --add stops for a secret in the directory", async () => {
    const shared = makeTree({ ".env": "SECRET_TOKEN=abcdefabcdefabcdef\n" });
    const add = `${shared}:/var/task/shared`;
    await assert.rejects(buildWith({ add }), failsWith("SECRET_FOUND", /shared\/\.env/));
    const { files } = await buildWith({ add, allowSecret: "shared/.env" });
    assert.ok(files.has("var/task/shared/.env"));
  });

  it("build --add keeps a link that leads out of the directory a link, and reads nothing outside", async () => {
    const shared = makeTree({ "out.txt": { link: "../../../etc/passwd" }, "in.txt": "1" });
    const { files } = await buildWith({ add: `${shared}:/opt/shared`, allow: "links" });
    assert.equal(files.get("opt/shared/out.txt")?.text, "../../../etc/passwd");
  });

  it("build --add to a place below a link of the base goes to where the link leads", async () => {
    const layers = [{ srv: null, data: { link: "srv" }, var: null, "var/task": null }];
    const base = await inLayout(await imageWith(layers, awsBase));
    const { files } = await buildWith({ base, add: `${makeTree({ "x.txt": "1" })}:/data/x` });
    assert.ok(files.has("srv/x/x.txt"));
    assert.ok(!files.has("data/x/x.txt"));
  });

  it("build --add refuses a missing directory, a relative target, and a file where the app has a directory", async () => {
    await assert.rejects(buildWith({ add: "/none/such:/opt" }), failsWith("DIRECTORY_UNREADABLE"));
    await assert.rejects(buildWith({ add: "shared" }), failsWith("USAGE", /is not DIR:\/target/));
    const shared = makeTree({ lib: "a file" });
    await assert.rejects(
      buildWith({ add: `${shared}:/var/task` }, { ...APP, "lib/a.py": "1" }),
      failsWith(
        "COMPOSITION_REFUSED",
        /\/var\/task\/lib is a directory in the layer "app" and a file in "add \/var\/task"/,
      ),
    );
  });

  it("build --add with the same files gives the same digest twice, and takes the layer from the cache", async () => {
    const options = {
      add: `${makeTree({ "lib.py": "X = 1\n" })}:/var/task/shared`,
      cacheDir: temporaryDirectory(),
    };
    const first = await buildWith(options);
    const again = await buildWith(options);
    assert.equal(again.result.digest, first.result.digest);
    assert.deepEqual(
      again.result.layers.map(({ how }) => how),
      ["base", "cached", "cached"],
    );
  });
});

describe("build --extension", () => {
  it("build --extension puts the directory into /opt and lets its programs be executed", async () => {
    const extension = makeTree({ "extensions/probe": "#!/bin/sh\nsleep 1\n", "probe/config.json": "{}" });
    const { files, names } = await buildWith({ extension });
    assert.equal(files.get("opt/extensions/probe")?.mode, "755");
    assert.equal(files.get("opt/probe/config.json")?.mode, "644");
    assert.deepEqual(names, ["base 1", "extension probe", "app"]);
  });

  it("build --extension refuses a directory without extensions, and one whose extensions are ignored", async () => {
    await assert.rejects(
      buildWith({ extension: makeTree({ "probe.sh": "#!/bin/sh\n" }) }),
      failsWith("USAGE", /there is no directory extensions in it/),
    );
    await assert.rejects(
      buildWith({
        extension: makeTree({ "extensions/probe": "1", other: "1", ".dockerignore": "extensions\n" }),
      }),
      failsWith("COMPOSITION_REFUSED", /no file is left/),
    );
  });

  it("build --extension stops for a first line whose interpreter the image does not have", async () => {
    const extension = makeTree({ "extensions/probe": "#!/usr/bin/python9\n" });
    await assert.rejects(
      buildWith({ extension, deep: true }),
      failsWith("CHECK_FAILED", /python9.*\(extensions\)/),
    );
  });

  it("build --extension stops for a program of another architecture", async () => {
    const directory = makeTree({ "extensions/none": "" });
    writeFileSync(join(directory, "extensions", "probe"), elf({ machine: "arm64" }));
    await assert.rejects(
      buildWith({ extension: directory }),
      failsWith("CHECK_FAILED", /extensions\/probe: is for Linux on arm64/),
    );
  });
});
