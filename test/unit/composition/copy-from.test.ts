import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, build, check } from "../../../src/index.ts";
import { failsWith } from "../../support/errors.ts";
import { publishBase } from "../../support/images/base.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { imageWith, inLayout, type TarEntries } from "../../support/images/compose-image.ts";
import { ARM64 } from "../../support/images/small-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, type Tree, temporaryDirectory } from "../../support/trees.ts";

const APP: Tree = { "app.py": "def handler(event, context): return event\n" };
const TOOLS: TarEntries = {
  usr: null,
  "usr/bin": null,
  "usr/bin/tool": { text: "TOOL", mode: 0o4755 },
  "usr/bin/other": { hardlink: "usr/bin/tool" },
  "usr/bin/link": { link: "tool" },
  "usr/bin/absolute": { link: "/usr/share/tool/data.txt" },
  bin: { link: "usr/bin" },
  "usr/share": null,
  "usr/share/tool": null,
  "usr/share/tool/data.txt": { text: "DATA", mode: 0o600 },
  "usr/share/tool/empty": null,
  "usr/share/tool/to-data": { link: "data.txt" },
};

const awsBase = { entrypoint: ["/lambda-entrypoint.sh"], workingDir: "/var/task" };

async function buildWith(options: Partial<BuildOptions>, tree = APP) {
  const out = join(temporaryDirectory(), "out");
  const result = await build({
    directory: makeTree(tree),
    base: await inLayout(await imageWith([{ var: null, "var/task": null }], awsBase)),
    handler: "app.handler",
    to: `oci:${out}:latest`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    ...options,
  });
  return { result, files: await filesInLayout(out) };
}

/** Path, mode, text and layer of what was copied. */
async function copied(options: Partial<BuildOptions>): Promise<readonly string[]> {
  const { files } = await buildWith(options);
  return [...files]
    .filter(([, { layer }]) => layer !== "app")
    .map(([path, { mode, text, layer }]) => `${path} ${mode} ${text} [${layer}]`);
}

describe("build --copy-from", () => {
  let tools: string;
  before(async () => {
    tools = await inLayout(await imageWith([TOOLS]));
  });
  const cases: readonly (readonly [title: string, paths: string, expected: readonly string[]])[] = [
    [
      "copies a file to a path, and drops setuid",
      ":/usr/bin/tool:/opt/bin/renamed",
      ["opt/bin/renamed 755 TOOL [copy /opt/bin/renamed]"],
    ],
    [
      "copies a file into a target with a slash at its end",
      ":/usr/bin/tool:/opt/bin/",
      ["opt/bin/tool 755 TOOL [copy /opt/bin]"],
    ],
    [
      "copies a file into a directory that the base has",
      ":/usr/bin/tool:/var/task",
      ["var/task/tool 755 TOOL [copy /var/task]"],
    ],
    ["reads a hard link where it leads", ":/usr/bin/other:/opt/x", ["opt/x 755 TOOL [copy /opt/x]"]],
    ["follows a link that is named", ":/usr/bin/link:/opt/x", ["opt/x 755 TOOL [copy /opt/x]"]],
    [
      "follows an absolute link within the image",
      ":/usr/bin/absolute:/opt/x",
      ["opt/x 644 DATA [copy /opt/x]"],
    ],
    ["follows a link on the way", ":/bin/tool:/opt/x", ["opt/x 755 TOOL [copy /opt/x]"]],
    [
      "copies the contents of a directory, and keeps the links in it",
      ":/usr/share/tool:/opt/data",
      ["opt/data/data.txt 644 DATA [copy /opt/data]", "opt/data/to-data 777 data.txt [copy /opt/data]"],
    ],
  ];
  for (const [title, paths, expected] of cases)
    it(`build --copy-from ${title}`, async () =>
      assert.deepEqual(await copied({ copyFrom: `${tools}${paths}` }), expected));

  it("build --copy-from takes a file as the topmost layer has it, and none that a layer removed", async () => {
    const upper: TarEntries = { etc: null, "etc/a": "new", "etc/.wh.b": "" };
    const image = await inLayout(await imageWith([{ etc: null, "etc/a": "old", "etc/b": "gone" }, upper]));
    assert.deepEqual(await copied({ copyFrom: `${image}:/etc:/opt/etc` }), [
      "opt/etc/a 644 new [copy /opt/etc]",
    ]);
    await assert.rejects(
      buildWith({ copyFrom: `${image}:/etc/b:/opt/b` }),
      failsWith("COMPOSITION_REFUSED", /the image has no \/etc\/b/),
    );
  });

  it("build --copy-from names the nearest path if the image has no such file", () =>
    assert.rejects(buildWith({ copyFrom: `${tools}:/usr/bin/tol:/opt/x` }), (error: unknown) => {
      assert.ok(failsWith("COMPOSITION_REFUSED", /the image has no \/usr\/bin\/tol/)(error));
      assert.match((error as { hint: string }).hint, /did you mean \/usr\/bin\/tool/);
      return true;
    }));

  it("build --copy-from refuses what is not IMAGE:/source:/target before anything is read", async () => {
    for (const text of ["busybox", "r.example/x:/only", "r.example/x:/a:relative"])
      await assert.rejects(
        buildWith({ copyFrom: text }),
        failsWith("USAGE", /is not IMAGE:\/source:\/target/),
      );
    await assert.rejects(buildWith({ copyFrom: "node:20:/bin/x:/opt/x" }), failsWith("REFERENCE_INVALID"));
  });

  it("build --copy-from refuses a file where another part has a directory", () =>
    assert.rejects(
      buildWith({
        copyFrom: [`${tools}:/usr/share/tool:/opt/x`, `${tools}:/usr/share/tool:/opt/x/data.txt`],
      }),
      failsWith("COMPOSITION_REFUSED", /\/opt\/x\/data\.txt is a directory in the layer .* and a file in/),
    ));

  it("build finds the handler in a directory that --copy-from brings", async () => {
    const code = await inLayout(
      await imageWith([{ src: null, "src/api.py": "def handler(event, context): return event\n" }]),
    );
    const { result } = await buildWith(
      { copyFrom: `${code}:/src:/var/task/lib`, handler: "lib/api.handler" },
      { "readme.txt": "1" },
    );
    assert.equal(result.handler, "lib/api.handler");
    await assert.rejects(
      buildWith({ copyFrom: `${code}:/src:/var/task/lib`, handler: "lib/api.other" }),
      failsWith("HANDLER_NOT_FOUND"),
    );
  });

  it("build stops for a secret in what --copy-from brings, and --allow-secret names it by its path in the image", async () => {
    const image = await inLayout(await imageWith([{ app: null, "app/.env": "TOKEN=abcdefabcdefabcdef\n" }]));
    const copyFrom = `${image}:/app:/opt/app`;
    await assert.rejects(buildWith({ copyFrom }), failsWith("SECRET_FOUND", /opt\/app\/\.env/));
    const { files } = await buildWith({ copyFrom, allowSecret: "opt/app/.env" });
    assert.ok(files.has("opt/app/.env"));
  });

  it("build puts what --copy-from brings behind the links of the base", async () => {
    const links = { usr: null, "usr/bin": null, bin: { link: "usr/bin" }, data: { link: "/usr" } };
    const base = await inLayout(await imageWith([links, { var: null, "var/task": null }], awsBase));
    const options = {
      base,
      copyFrom: [`${tools}:/usr/bin/tool:/bin/tool`, `${tools}:/usr/bin/tool:/data/x`],
    };
    assert.deepEqual(await copied(options), [
      "usr/bin/tool 755 TOOL [copy /bin/tool]",
      "usr/x 755 TOOL [copy /data/x]",
    ]);
  });
});

describe("build --copy-from an image in a registry", () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
    const entries = (text: string): TarEntries => ({ tool: { text, mode: 0o755 } });
    await publishBase(
      registry,
      "tools",
      "1",
      await imageWith([entries("amd64")]),
      await imageWith([entries("arm64")], {}, ARM64),
    );
  });
  after(() => registry.stop());
  const copyFrom = () => `${registry.host}/tools:1:/tool:/opt/tool`;

  it("build --copy-from takes the image of the base's architecture", async () => {
    const base = await inLayout(await imageWith([{ var: null, "var/task": null }], awsBase, ARM64));
    assert.deepEqual(await copied({ copyFrom: copyFrom(), base }), ["opt/tool 755 arm64 [copy /opt/tool]"]);
  });

  it("build --copy-from --lock records the digest, which later builds use although the tag has moved", async () => {
    const lockFile = join(temporaryDirectory(), "lambda-pack.lock");
    await buildWith({ copyFrom: copyFrom(), lockFile, lock: true });
    const { bases } = JSON.parse(readFileSync(lockFile, "utf8"));
    assert.match(bases[`${registry.host}/tools:1`]["linux/amd64"], /^sha256:/);
    await publishBase(registry, "tools", "1", await imageWith([{ tool: { text: "moved", mode: 0o755 } }]));
    assert.deepEqual(await copied({ copyFrom: copyFrom(), lockFile }), [
      "opt/tool 755 amd64 [copy /opt/tool]",
    ]);
    await assert.rejects(
      buildWith({ copyFrom: copyFrom(), lockFile, locked: true }),
      failsWith("LOCK_REFUSED", /tools:1 is sha256:/),
    );
  });

  it("a second build takes the layer from the cache, gives the same digest, and works offline", async () => {
    const base = await inLayout(await imageWith([{ var: null, "var/task": null }], awsBase));
    const options = { copyFrom: copyFrom(), base, cacheDir: temporaryDirectory() };
    const first = await buildWith(options);
    const before = registry.requests.length;
    const again = await buildWith({ ...options, offline: true });
    assert.equal(again.result.digest, first.result.digest);
    assert.equal(registry.requests.length, before);
    assert.deepEqual(
      again.result.layers.filter(({ name }) => name.startsWith("copy")).map(({ how }) => how),
      ["cached"],
    );
  });

  it("build --copy-from --lock over a base in a layout is not told that --lock has no effect, nor --jobs", async () => {
    const events: BuildEvent[] = [];
    const lockFile = join(temporaryDirectory(), "lambda-pack.lock");
    const onEvent = (event: BuildEvent) => events.push(event);
    await buildWith({ copyFrom: copyFrom(), lockFile, lock: true, jobs: 2, onEvent });
    assert.deepEqual(
      events.filter(({ type }) => type === "warning"),
      [],
    );
  });

  it("check of a directory knows what --copy-from brings", async () => {
    const source = makeTree({ "app.py": "def handler(event, context): return event\n" });
    const base = await inLayout(await imageWith([{ var: null, "var/task": null }], awsBase));
    const options = { source, base, handler: "app.handler", cacheDir: temporaryDirectory() };
    const secret = await inLayout(await imageWith([{ id_rsa: "-----BEGIN RSA PRIVATE KEY-----\nabc\n" }]));
    const { findings } = await check({ ...options, copyFrom: `${secret}:/id_rsa:/opt/id_rsa` });
    assert.ok(
      findings.some(({ rule, message }) => rule === "secret-files" && /opt\/id_rsa/.test(message)),
      JSON.stringify(findings),
    );
  });

  it("a dry run reads the image and writes nothing", async () => {
    const out = join(temporaryDirectory(), "none");
    const result = await build({
      directory: makeTree(APP),
      base: await inLayout(await imageWith([{ var: null, "var/task": null }], awsBase)),
      ...{ copyFrom: copyFrom(), dryRun: true, to: `oci:${out}` },
      ...{ cacheDir: temporaryDirectory(), environment: { HOME: temporaryDirectory() } },
    });
    assert.deepEqual(
      result.layers.map(({ name }) => name),
      ["base 1", "copy /opt/tool", "app"],
    );
    assert.ok(!existsSync(out));
  });
});
