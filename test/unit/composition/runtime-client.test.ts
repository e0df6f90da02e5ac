import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { type BuildOptions, build } from "../../../src/index.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import type { ImageChanges } from "../../../src/oci/compose.ts";
import { failsWith } from "../../support/errors.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { imageWith, inLayout, type TarEntries } from "../../support/images/compose-image.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const PROGRAM = { text: "PROGRAM", mode: 0o755 };
const DIRECTORIES: TarEntries = { usr: null, "usr/bin": null };
const NODE: TarEntries = { ...DIRECTORIES, "usr/bin/node": PROGRAM };
const PYTHON: TarEntries = {
  ...DIRECTORIES,
  "usr/bin/python3": { link: "python3.11" },
  "usr/bin/python3.11": PROGRAM,
};
const JS_APP: Tree = { "index.mjs": "export const handler = async () => 1;\n" };
const PY_APP: Tree = { "app.py": "def handler(event, context): return event\n" };

async function buildOn(
  entries: TarEntries,
  tree: Tree,
  options: Partial<BuildOptions> = {},
  settings: Partial<ImageChanges> = {},
) {
  const out = join(temporaryDirectory(), "out");
  const result = await build({
    directory: makeTree(tree),
    base: await inLayout(await imageWith([entries], settings)),
    runtimeClient: true,
    to: `oci:${out}:latest`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    ...options,
  });
  const { settings: written } = await openLayout(out).pull("latest", undefined);
  return { result, config: written.config ?? {}, files: await filesInLayout(out) };
}

describe("build --runtime-client", () => {
  it("build --runtime-client starts the base's Node with the client, in the task root, and CMD is the handler", async () => {
    const { config, files, result } = await buildOn(NODE, JS_APP);
    assert.deepEqual(config.Entrypoint, ["/usr/bin/node", "/opt/lambda-pack/node-client.mjs"]);
    assert.deepEqual(config.Cmd, ["index.handler"]);
    assert.equal(config.WorkingDir, "/var/task");
    assert.equal(files.get("opt/lambda-pack/node-client.mjs")?.layer, "runtime-client");
    assert.ok(!files.has("opt/lambda-pack/python_client.py"));
    assert.deepEqual(
      result.layers.map(({ name }) => name),
      ["base 1", "runtime-client", "app"],
    );
  });

  it("build --runtime-client names the Python behind the link, and keeps the base's WORKDIR as the task root", async () => {
    const { config, files } = await buildOn(PYTHON, PY_APP, {}, { workingDir: "/srv/app" });
    assert.deepEqual(config.Entrypoint, [
      "/usr/bin/python3.11",
      "-u",
      "/opt/lambda-pack/python_bootstrap.py",
    ]);
    assert.equal(config.WorkingDir, "/srv/app");
    assert.ok(files.has("srv/app/app.py"));
  });

  it("build --runtime-client chooses between Node and Python by the base's variables, else by the app's files", async () => {
    const both = { ...NODE, ...PYTHON };
    const byFiles = await buildOn(both, PY_APP);
    assert.match(String(byFiles.config.Entrypoint), /python3\.11/);
    const byVariable = await buildOn(
      both,
      { ...JS_APP, "tool.py": "1" },
      {},
      { env: { NODE_VERSION: "22.0.0" } },
    );
    assert.match(String(byVariable.config.Entrypoint), /node-client/);
    await assert.rejects(
      buildOn(both, { ...JS_APP, ...PY_APP }),
      failsWith("COMPOSITION_REFUSED", /has node and python3/),
    );
  });

  it("build --runtime-client starts AWS's own client for Node if the app has it, with a stand-in for its compiled part", async () => {
    const app = {
      ...JS_APP,
      "node_modules/aws-lambda-ric/index.mjs": "1",
      "node_modules/aws-lambda-ric/package.json": "{}",
    };
    const { config } = await buildOn(NODE, app);
    assert.deepEqual(config.Entrypoint, [
      ...["/usr/bin/node", "--require", "/opt/lambda-pack/native-stand-in.cjs"],
      "/var/task/node_modules/aws-lambda-ric/index.mjs",
    ]);
  });

  it("build --runtime-client refuses AWS's bases, a base without an interpreter, and another entry point", async () => {
    await assert.rejects(
      buildOn(NODE, JS_APP, {}, { entrypoint: ["/lambda-entrypoint.sh"] }),
      failsWith("USAGE", /--runtime-client has no effect/),
    );
    await assert.rejects(
      buildOn(DIRECTORIES, JS_APP),
      failsWith("COMPOSITION_REFUSED", /has neither node nor python3/),
    );
    await assert.rejects(
      buildOn(NODE, JS_APP, { entrypoint: ["/usr/bin/node"] }),
      failsWith("USAGE", /--entrypoint has no effect with --runtime-client/),
    );
  });

  it("build --runtime-client gives the same digest twice, and takes the client's layer from the cache", async () => {
    const options = { cacheDir: temporaryDirectory() };
    const first = await buildOn(NODE, JS_APP, options);
    const again = await buildOn(NODE, JS_APP, options);
    assert.equal(again.result.digest, first.result.digest);
    assert.equal(again.result.layers[1]?.how, "cached");
  });
});
