import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { collect } from "../../../src/layer/collect.ts";
import { Command } from "../../support/cli/command.ts";
import { makeTree } from "../../support/trees.ts";

const APP = { bootstrap: "#!/bin/sh\n", "data/model.json": '{"digest":"sha256:0"}', "id.txt": "sha256:x\n" };

describe("what an earlier run wrote into the source directory", () => {
  it("what an earlier run wrote into the source directory is not packed, whatever its name is", async () => {
    const command = new Command();
    const app = makeTree(APP);
    const at = (name: string) => join(app, name);
    const run = async (...args: string[]) => {
      const { status } = await command.run(args);
      assert.ok(status === 0 || (args[0] === "check" && status === 3), args.join(" ")); // no shell is there
    };
    const image = `oci:${at("image")}`;
    const to = [image, `oci-archive:${at("a.tar")}`, `docker-archive:${at("data/d.tar")}`];
    const base = ["--base", "scratch", "--entrypoint", "/var/task/bootstrap", "--cache-dir", at("cache")];
    const results = ["--metadata-file", at("image.json"), "--iidfile", at("id")];
    await run("build", app, ...base, "--no-check", ...to.flatMap((one) => ["--to", one]), ...results);
    await run("check", image, "--metadata-file", at("checked.json"));
    await run("check", app, ...base, "--metadata-file", at("directory.json"));
    await run("inspect", image, "--html", at("page.html"), "--metadata-file", at("data/inspected.json"));
    await run("diff", image, image, "--metadata-file", at("difference.json"));
    writeFileSync(at("id2"), `sha256:${"0".repeat(64)}`);

    const { files, leftOut = [] } = await collect({ directory: app, target: "/" });
    const written = [
      "a.tar",
      "cache",
      "checked.json",
      "data/d.tar",
      "data/inspected.json",
      "difference.json",
    ];
    const more = ["directory.json", "id", "id2", "image", "image.json", "page.html"];
    assert.deepEqual(
      files.map(({ path }) => path),
      Object.keys(APP).sort(),
    );
    assert.deepEqual(leftOut, [...written, ...more]);
    for (const path of leftOut) assert.ok(existsSync(at(path)), path);
  });

  it("what an earlier run wrote into the source directory is packed if an ignore file says so, and deeper in the app", async () => {
    const layout = { "oci-layout": "{}", "index.json": "{}" };
    const tree = (root: string) =>
      Object.fromEntries(Object.entries(layout).map(([name, text]) => [`${root}/${name}`, text]));
    const directory = makeTree({ ...tree("image"), ...tree("test/data/image"), ".lambdaignore": "!image" });
    const { files } = await collect({ directory, target: "/" });
    assert.equal(files.length, 4);
  });
});
