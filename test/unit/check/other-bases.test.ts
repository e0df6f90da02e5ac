import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { BuildEvent, BuildOptions } from "../../../src/index.ts";
import { build, check } from "../../../src/index.ts";
import { compose, emptyImage } from "../../../src/oci/compose.ts";
import { contentOf } from "../../../src/oci/content.ts";
import { MEDIA_TYPES } from "../../../src/oci/media-types.ts";
import { platformOf } from "../../../src/oci/platform.ts";
import { elf } from "../../support/formats/elf.ts";
import { awsBase } from "../../support/images/app-cases.ts";
import { publishBase } from "../../support/images/base.ts";
import { directories, file, layerOf, type TestEntry } from "../../support/images/check-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const APP = { "app.py": "def handler(event, context):\n    return 1\n" };
const PYTHON = [
  ...directories("usr", "usr/local", "usr/local/bin", "var", "var/task"),
  file("usr/local/bin/python3.12", elf(), 0o755),
  { name: "usr/local/bin/python3", type: "symlink", linkname: "python3.12" },
  { name: "usr/local/bin/python", type: "symlink", linkname: "python3" },
] as const satisfies readonly TestEntry[];
const SITE = ["usr/local/lib", "usr/local/lib/python3.12", "usr/local/lib/python3.12/site-packages"];
const CLIENT = [
  ...PYTHON,
  ...directories(...SITE, `${SITE[2]}/awslambdaric`),
  file(`${SITE[2]}/awslambdaric/__main__.py`),
  ...directories(`${SITE[2]}/requests-2.32.0.dist-info`),
  file(`${SITE[2]}/requests-2.32.0.dist-info/METADATA`),
];
const ADAPTER = [
  ...PYTHON,
  ...directories("opt", "opt/extensions"),
  file("opt/extensions/lambda-adapter", elf(), 0o755),
];
const START = ["/usr/local/bin/python", "-m", "awslambdaric"];

async function baseOf(entries: readonly TestEntry[], settings: { entrypoint?: string[]; cmd?: string[] }) {
  const { blob, diffId } = await layerOf(entries);
  return compose(emptyImage(platformOf("x86_64"), "oci"), {
    layers: [{ name: "os", layer: { ...contentOf(MEDIA_TYPES.oci.layer, blob), diffId } }],
    workingDir: "/var/task",
    env: { PYTHON_VERSION: "3.12.1", PATH: "/usr/local/bin:/usr/bin:/bin" },
    ...settings,
    created: new Date(0),
  });
}

describe("bases of other publishers", () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await TestRegistry.start();
    await publishBase(registry, "own/adapter", "1", await baseOf(ADAPTER, {}));
    await publishBase(registry, "own/client", "1", await baseOf(CLIENT, { cmd: [...START, "app.handler"] }));
    const env = [...directories("usr/bin"), file("usr/bin/env", elf(), 0o755)];
    await publishBase(registry, "own/env", "1", await baseOf([...PYTHON, ...env], {}));
    await publishBase(registry, "own/plain", "1", await baseOf(PYTHON, { cmd: ["python3"] }));
    await publishBase(registry, "lambda/python", "3.12", await awsBase("python"));
    await publishBase(registry, "lambda/nodejs", "22", await awsBase("nodejs"));
    await publishBase(registry, "lambda/python", "3.8", await awsBase("python"));
  });
  after(() => registry.stop());

  const common = () => ({
    cache: false,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: temporaryDirectory() },
  });
  const output = () => `oci:${join(temporaryDirectory(), "out")}:v1`;
  const buildIt = (options: Partial<BuildOptions> & { base: string }) =>
    build({ ...common(), directory: makeTree(APP), to: output(), ...options });
  const warningsOf = async (options: Partial<BuildOptions> & { base: string }) => {
    const events: BuildEvent[] = [];
    await buildIt({ ...options, onEvent: (event) => events.push(event) });
    return events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  };

  it("build accepts a base with the web adapter, whose layers it reads", async () => {
    const cmd = ["/usr/local/bin/python3.12", "app.py"];
    assert.deepEqual(await warningsOf({ base: `${registry.host}/own/adapter:1`, cmd }), []);
  });

  it("build accepts a base whose CMD starts a runtime interface client", async () => {
    const warnings = await warningsOf({ base: `${registry.host}/own/client:1` });
    assert.deepEqual(warnings, ["/usr/local/bin/python: the entry point is a link to python3 (entrypoint)"]);
  });

  it("build does not miss packages that the base has", async () => {
    const directory = makeTree({ ...APP, "requirements.txt": "requests\n" });
    const warnings = await warningsOf({ base: `${registry.host}/own/client:1`, directory });
    assert.deepEqual(warnings, ["/usr/local/bin/python: the entry point is a link to python3 (entrypoint)"]);
  });

  it("build refuses a base in which nothing speaks the Runtime API", async () => {
    await assert.rejects(
      buildIt({
        base: `${registry.host}/own/plain:1`,
        handler: "app.handler",
        entrypoint: ["/usr/local/bin/python3"],
      }),
      { code: "CHECK_FAILED", message: /no runtime interface client for python/ },
    );
  });

  it("build downloads the base's layers once for the interpreter of a bootstrap, and then works offline", async () => {
    const cacheDir = join(temporaryDirectory(), "cache");
    const blobsFor = async (text: string, more: Partial<BuildOptions> = {}) => {
      const before = registry.requests.length;
      const bootstrap = { file: `#!/usr/bin/env python3\nprint(${text})\n`, mode: 0o755 };
      await build({
        ...{ ...common(), cache: true, cacheDir, directory: makeTree({ bootstrap }), to: output() },
        ...{ base: `${registry.host}/own/env:1`, target: "/var/runtime", dryRun: true },
        ...{ entrypoint: ["/var/runtime/bootstrap"], allow: ["runtime-client"], ...more },
      });
      return registry.requests.slice(before).filter(({ path }) => path.includes("/blobs/")).length;
    };
    assert.deepEqual(
      [await blobsFor("1"), await blobsFor("2"), await blobsFor("3", { offline: true })],
      [2, 0, 0],
    );
  });

  it("build with --allow runtime-client does not read the layers of the base, nor call the flag needless", async () => {
    const before = registry.requests.length;
    const options = { base: `${registry.host}/own/env:1`, cmd: ["app.handler"], dryRun: true };
    assert.deepEqual(await warningsOf({ ...options, allow: ["runtime-client", "entrypoint"] }), []);
    const blobs = registry.requests.slice(before).filter(({ path }) => path.includes("/blobs/"));
    assert.equal(blobs.length, 1, "only the config");
  });

  it("check of a directory does not call --allow runtime-client needless for a base that it does not read", async () => {
    const warnings: string[] = [];
    const { findings } = await check({
      ...{ ...common(), source: makeTree(APP), base: `${registry.host}/own/plain:1` },
      ...{ cmd: ["app.handler"], allow: ["runtime-client", "entrypoint"] },
      onEvent: (event) => event.type === "warning" && warnings.push(event.message),
    });
    assert.deepEqual([findings.filter(({ severity }) => severity === "error"), warnings], [[], []]);
  });

  it("build with --allow base-support does not warn that AWS no longer supports the base", async () => {
    const [usual, allowed] = [
      await warningsOf({ base: "python:3.8" }),
      await warningsOf({ base: "python:3.8", allow: ["base-support"] }),
    ];
    assert.equal(usual.filter((text) => text.startsWith("the base python:3.8 ")).length, 1, usual.join());
    assert.deepEqual(allowed, []);
  });

  it("check of a directory reports a base without support once, as a finding", async () => {
    const events: BuildEvent[] = [];
    const { findings } = await check({
      ...common(),
      ...{ source: makeTree(APP), base: "python:3.8", onEvent: (event) => events.push(event) },
    });
    assert.equal(findings.filter(({ rule }) => rule === "base-support").length, 1);
    assert.deepEqual(
      events.filter(({ type }) => type === "warning"),
      [],
    );
  });

  it("build accepts the entry point of AWS's documentation, a link, with a warning", async () => {
    const warnings = await warningsOf({
      base: `${registry.host}/own/client:1`,
      entrypoint: START,
      handler: "app.handler",
    });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /the entry point is a link to python3 \(entrypoint\)/);
  });

  it("a chained build keeps the labels of the first base, so that it is not behind", async () => {
    const first = output();
    await buildIt({ base: "python:3.12", to: first });
    const to = output();
    await build({
      ...common(),
      directory: makeTree({ "data.txt": "1" }),
      base: first,
      target: "/opt/data",
      to,
    });
    const { findings } = await check({ ...common(), source: to, askBase: true, allow: ["base-support"] });
    assert.deepEqual(findings, []);
  });

  it("the handler that was found is an event and part of the result", async () => {
    const events: BuildEvent[] = [];
    const { handler } = await buildIt({ base: "python:3.12", onEvent: (event) => events.push(event) });
    assert.equal(handler, "app.handler");
    assert.deepEqual(
      events.filter(({ type }) => type === "handler-found"),
      [{ type: "handler-found", handler: "app.handler", isGiven: false }],
    );
  });

  const NODE = {
    "index.js": "exports.handler = async () => 1;\n",
    "node_modules/.package-lock.json": JSON.stringify({
      packages: { "node_modules/typescript": { dev: true }, "node_modules/a": {} },
    }),
    "node_modules/typescript/tsc.js": "x".repeat(5000),
    "node_modules/.bin/tsc": { link: "../typescript/tsc.js" },
    "node_modules/a/index.js": "1",
  };

  it("--omit-dev leaves out development packages and the links to their programs", async () => {
    const events: BuildEvent[] = [];
    const onEvent = (event: BuildEvent) => events.push(event);
    await build({
      ...common(),
      directory: makeTree(NODE),
      base: "nodejs:22",
      to: output(),
      omitDev: true,
      onEvent,
    });
    const collected = events.find(({ type }) => type === "files-collected");
    assert.deepEqual(collected?.type === "files-collected" && [collected.files, collected.bytes < 1000], [
      3,
      true,
    ]);
    assert.deepEqual(
      events.filter(({ type }) => type === "warning"),
      [],
    );
  });

  it("--omit-dev without npm's notes is told to have no effect", async () => {
    const warnings = await warningsOf({ base: "python:3.12", omitDev: true });
    assert.match(warnings.join("\n"), /--omit-dev has no effect/);
  });
});

describe("checks of hostile images are linear", () => {
  it("a CMD of 40,000 letters is judged in seconds", { timeout: 30_000 }, async () => {
    const { blob, diffId } = await layerOf([...directories("var", "var/task"), file("var/task/app.py")]);
    const image = compose(emptyImage(platformOf("x86_64"), "oci"), {
      layers: [{ name: "app", layer: { ...contentOf(MEDIA_TYPES.oci.layer, blob), diffId } }],
      entrypoint: ["/lambda-entrypoint.sh"],
      cmd: ["a/".repeat(20_000)],
      env: { PYTHON_VERSION: "3.12.1" },
      workingDir: "/var/task",
      created: new Date(0),
    });
    const registry = await TestRegistry.start();
    try {
      await publishBase(registry, "x/cmd", "1", image);
      const { findings } = await check({ source: `${registry.host}/x/cmd:1`, cache: false, environment: {} });
      assert.ok(findings.every(({ message }) => message.length < 100_000));
    } finally {
      await registry.stop();
    }
  });
});
