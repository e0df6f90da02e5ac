import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Command } from "../../support/cli/command.ts";
import { describeReal } from "../../support/components/components.ts";
import { run } from "../../support/run.ts";

describeReal("inspect and diff of what other tools build", ["umoci", "skopeo", "root"], () => {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-inspect-tools-"));
  const at = (name: string) => join(directory, name);
  const layout = `oci:${at("image")}`;
  const command = new Command();
  const json = async (...words: readonly string[]) =>
    JSON.parse(await command.succeed([...words, "--json", "--no-cache"]));

  before(async () => {
    mkdirSync(at("root/var/task"), { recursive: true });
    writeFileSync(at("root/var/task/app.py"), "a".repeat(3000));
    writeFileSync(at("root/var/task/old.py"), "b".repeat(2000));
    writeFileSync(at("app.py"), "new");
    await run("umoci", ["init", "--layout", at("image")]);
    await run("umoci", ["new", "--image", `${at("image")}:v1`]);
    await run("umoci", ["insert", "--image", `${at("image")}:v1`, at("root"), "/"]);
    await run("umoci", ["tag", "--image", `${at("image")}:v1`, "v2"]);
    await run("umoci", ["insert", "--image", `${at("image")}:v2`, at("app.py"), "/var/task/app.py"]);
    await run("umoci", ["insert", "--image", `${at("image")}:v2`, "--whiteout", "/var/task/old.py"]);
    await run("skopeo", ["copy", "-q", `${layout}:v2`, `docker-archive:${at("v2.tar")}:app:v2`]);
  });
  after(() => {
    command.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it("finds what umoci's layers hide", async () => {
    const { layers, contents } = await json("inspect", `${layout}:v2`);
    const hides = layers.map(({ contents: { hides: hidden } }: { contents: { hides: object } }) => hidden);
    assert.deepEqual(hides, [
      { files: 0, bytes: 0 },
      { files: 1, bytes: 3000 },
      { files: 1, bytes: 2000 },
    ]);
    assert.deepEqual(contents.files, [{ path: "var/task/app.py", size: 3, layer: 1 }]);
    assert.deepEqual(contents.waste.hiddenTotal, { files: 2, bytes: 5000 });
  });

  it("tells the files that differ between two tags, and exits with 3", async () => {
    const { files, layers } = await json("diff", `${layout}:v1`, `${layout}:v2`);
    assert.deepEqual(
      files.list.map(({ path, change }: { path: string; change: string }) => `${change} ${path}`),
      ["changed var/task/app.py", "removed var/task/old.py"],
    );
    assert.deepEqual(
      layers.map(({ change }: { change: string }) => change),
      ["kept", "added", "added"],
    );
    const { status } = await command.run([
      "diff",
      `${layout}:v1`,
      `${layout}:v2`,
      "--exit-code",
      "--no-cache",
    ]);
    assert.equal(status, 3);
  });

  it("sees the same files and tars if skopeo wrote the image otherwise", async () => {
    const { files, layers, same } = await json(
      "diff",
      `${layout}:v2`,
      `docker-archive:${at("v2.tar")}`,
      "--why",
    );
    assert.equal(same, false);
    assert.deepEqual(files.list, []);
    assert.deepEqual([...new Set(layers.map(({ change }: { change: string }) => change))], ["recompressed"]);
  });
});
