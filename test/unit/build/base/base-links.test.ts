import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { type BuildOptions, build } from "../../../../src/index.ts";
import { openLayout } from "../../../../src/layout/directory.ts";
import { compose, emptyImage } from "../../../../src/oci/compose.ts";
import { contentOf, readAll } from "../../../../src/oci/content.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { MEDIA_TYPES } from "../../../../src/oci/media-types.ts";
import { TarReader } from "../../../../src/tar/tar-reader.ts";
import { failsWith } from "../../../support/errors.ts";
import { AMD64, send } from "../../../support/images/small-image.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../../support/trees.ts";

/** A base as distributions with a merged /usr have it. */
async function mergedUsrBase(workingDir: string): Promise<string> {
  const archive = pack();
  for (const name of ["usr/", "usr/bin/", "usr/lib/", "var/", "run/"])
    archive.entry({ name, type: "directory", mtime: new Date(0) });
  archive.entry({ name: "usr/bin/sh", mode: 0o755, mtime: new Date(0) }, "#!");
  for (const [name, linkname] of [
    ["bin", "usr/bin"],
    ["lib", "usr/lib"],
    ["var/run", "/run"],
  ] as const)
    archive.entry({ name, type: "symlink", linkname, mtime: new Date(0) });
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const tar = Buffer.concat(chunks);
  const layer = { ...contentOf(MEDIA_TYPES.oci.layer, gzipSync(tar)), diffId: digestOf(tar) };
  const layers = [{ name: "os", layer }];
  const image = compose(emptyImage(AMD64, "oci"), { layers, created: new Date(0), workingDir });
  const directory = join(temporaryDirectory(), "base");
  const sink = openLayout(directory);
  await send(image, sink, ["latest"]);
  await sink.close();
  return `oci:${directory}:latest`;
}

/** The paths of the app's layer, directories with a slash at the end. */
async function packed(workingDir: string, tree: Tree, more: Partial<BuildOptions> = {}) {
  const out = join(temporaryDirectory(), "out");
  await build({
    directory: makeTree(tree),
    base: await mergedUsrBase(workingDir),
    handler: "app.handler",
    to: `oci:${out}:latest`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    check: false,
    ...more,
  });
  const image = await openLayout(out).pull("latest", AMD64);
  const names: string[] = [];
  const walk = new TarReader({ enter: ({ name }) => void names.push(name) });
  const app = image.layers.at(-1) ?? assert.fail();
  walk.push(gunzipSync(await readAll(app)));
  walk.end();
  return names;
}

const APP: Tree = {
  "app.py": "def handler(event, context): return event\n",
  "bin/tool": "1",
  "lib/x/y": "2",
};

describe("a base with links", () => {
  for (const workingDir of ["/", "app", ""]) {
    it(`a base with WORKDIR ${JSON.stringify(workingDir)} has the app in /var/task`, async () => {
      const names = await packed(workingDir, APP);
      assert.deepEqual(names.slice(0, 3), ["var/", "var/task/", "var/task/app.py"]);
      assert.ok(!names.some((name) => name.startsWith("bin")));
    });
  }

  it("files for /bin, /lib and /var/run go to where the base's links lead, and no link is replaced", async () => {
    const tree = { ...APP, "var/run/app.pid": "3", "bin-empty": null };
    const names = await packed("/var/task", tree, { target: "/", cmd: ["app.handler"] });
    assert.deepEqual(names, [
      ...["app.py", "bin-empty/", "run/", "run/app.pid", "usr/", "usr/bin/", "usr/bin/tool"],
      ...["usr/lib/", "usr/lib/x/", "usr/lib/x/y"],
    ]);
  });

  it("two files that come to one place behind a link are an error that names both", () =>
    assert.rejects(
      packed("/var/task", { ...APP, "usr/bin/tool": "2" }, { target: "/", cmd: ["app.handler"] }),
      failsWith("FILE_NAME", /bin\/tool and usr\/bin\/tool are both \/usr\/bin\/tool in the image/),
    ));
});
