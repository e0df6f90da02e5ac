import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { type BuildEvent, type BuildOptions, build } from "../../../src/index.ts";
import { failsWith } from "../../support/errors.ts";
import { makeZip, type ZipFiles } from "../../support/formats/wheels.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { filesInLayout } from "../../support/images/built-layout.ts";
import { imageWith, inLayout } from "../../support/images/compose-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const APP = { "app.py": "def handler(event, context): return event\n" };

function zipFile(files: ZipFiles, name = "layer.zip"): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, makeZip(files));
  return path;
}

async function buildWith(options: Partial<BuildOptions>) {
  const out = join(temporaryDirectory(), "out");
  const result = await build({
    directory: makeTree(APP),
    base: await inLayout(
      await imageWith([{ bin: null, "bin/sh": { text: "#!", mode: 0o755 }, var: null, "var/task": null }], {
        entrypoint: ["/lambda-entrypoint.sh"],
        workingDir: "/var/task",
      }),
    ),
    to: `oci:${out}:latest`,
    cacheDir: temporaryDirectory(),
    environment: { HOME: temporaryDirectory() },
    ...options,
  });
  return { result, files: await filesInLayout(out) };
}

describe("build --lambda-layer with a zip", () => {
  it("build --lambda-layer unpacks a zip into /opt, with its modes, links and extensions", async () => {
    const lambdaLayer = zipFile({
      "python/lib.py": "X = 1\n",
      "bin/tool": { content: "#!/bin/sh\n", mode: 0o750 },
      "bin/alias": { content: "tool", mode: 0o120777 },
      "extensions/probe": { content: "#!/bin/sh\n", mode: 0o644 },
    });
    const { result, files } = await buildWith({ lambdaLayer });
    assert.deepEqual(
      [...files].map(([path, { mode, layer }]) => `${path} ${mode} [${layer}]`),
      [
        "opt/bin/alias 777 [lambda-layer layer]",
        "opt/bin/tool 755 [lambda-layer layer]",
        "opt/extensions/probe 755 [lambda-layer layer]",
        "opt/python/lib.py 644 [lambda-layer layer]",
        "var/task/app.py 644 [app]",
      ],
    );
    assert.equal(files.get("opt/bin/alias")?.text, "tool");
    assert.deepEqual(
      result.layers.map(({ name }) => name),
      ["base 1", "lambda-layer layer", "app"],
    );
  });

  it("build --lambda-layer with the same zip gives the same digest twice, and takes the layer from the cache", async () => {
    const options = { lambdaLayer: zipFile({ "bin/x": "1" }), cacheDir: temporaryDirectory() };
    const first = await buildWith(options);
    const again = await buildWith({ ...options, offline: true });
    assert.equal(again.result.digest, first.result.digest);
    assert.equal(again.result.layers[1]?.how, "cached");
  });

  const refused: readonly (readonly [what: string, files: ZipFiles, words: RegExp])[] = [
    ["../", { "../etc/passwd": "1" }, /"\.\.\/etc\/passwd", which leaves its directory/],
    ["a path that leaves it later on", { "a/../../x": "1" }, /which leaves its directory/],
    ["an absolute path", { "/etc/passwd": "1" }, /"\/etc\/passwd", which leaves its directory/],
    ["a backslash", { "a\\b": "1" }, /which leaves its directory/],
    [
      "an encrypted file",
      { secret: { content: "1", mode: 0o644, flags: 1 } },
      /"secret", which is encrypted/,
    ],
    [
      "a method that is not known",
      { a: { content: "1", mode: 0o644, method: 93 } },
      /"a", which is compressed by method 93/,
    ],
    [
      "a file that is longer than it says",
      { a: { content: "0123456789", mode: 0o644, size: 3 } },
      /"a", which is damaged/,
    ],
    [
      "a bomb",
      { a: { content: "1", mode: 0o644, size: 300_000_000 } },
      /unpacks to more than 262144000 bytes/,
    ],
  ];
  for (const [what, files, words] of refused)
    it(`build --lambda-layer refuses a zip with ${what}, by its name`, () =>
      assert.rejects(buildWith({ lambdaLayer: zipFile(files) }), failsWith("CONTENT_MISMATCH", words)));

  it("build --lambda-layer refuses a device, and a file below a link", async () => {
    const device = zipFile({ null: { content: "", mode: 0o020666 } });
    await assert.rejects(
      buildWith({ lambdaLayer: device }),
      failsWith("COMPOSITION_REFUSED", /"null", which is not a file, directory or link/),
    );
    const below = zipFile({ a: { content: "/etc", mode: 0o120777 }, "a/passwd": "1" });
    await assert.rejects(
      buildWith({ lambdaLayer: below }),
      failsWith("COMPOSITION_REFUSED", /opt\/a is a file/),
    );
  });

  it("build --lambda-layer refuses what is not a zip, no file, or a directory", async () => {
    const path = join(temporaryDirectory(), "x.zip");
    writeFileSync(path, "no zip");
    await assert.rejects(buildWith({ lambdaLayer: path }), failsWith("CONTENT_MISMATCH", /cannot be read/));
    await assert.rejects(buildWith({ lambdaLayer: "none.zip" }), failsWith("USAGE", /there is no such file/));
    await assert.rejects(
      buildWith({ lambdaLayer: temporaryDirectory() }),
      failsWith("USAGE", /is a directory/),
    );
  });

  it("build stops for a secret in a Lambda layer", () =>
    assert.rejects(
      buildWith({ lambdaLayer: zipFile({ "conf/.env": "TOKEN=abcdefabcdefabcdef\n" }) }),
      failsWith("SECRET_FOUND", /opt\/conf\/\.env/),
    ));
});

const ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:tools:3";

/** A server that answers GetLayerVersion as AWS does, and serves the zip. */
describe("build --lambda-layer with an ARN", () => {
  const zip = makeZip({ "bin/tool": { content: "#!/bin/sh\n", mode: 0o755 } });
  const sha256 = createHash("sha256").update(zip).digest("base64");
  let server: Server;
  let asked: string[];
  let answer: { readonly sha256: string; readonly architectures?: string[]; readonly runtimes?: string[] };
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      if (request.url === "/zip?signature=1") return void response.end(zip);
      response.setHeader("content-type", "application/json");
      const { architectures, runtimes } = answer;
      const content = {
        CodeSha256: answer.sha256,
        Location: `${origin()}/zip?signature=1`,
        CodeSize: zip.length,
      };
      response.end(
        JSON.stringify({
          Content: content,
          CompatibleArchitectures: architectures,
          CompatibleRuntimes: runtimes,
        }),
      );
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  beforeEach(() => {
    asked = [];
    answer = { sha256, architectures: ["x86_64"], runtimes: ["python3.12"] };
  });
  after(() => server.close());
  const environment = () => ({
    HOME: temporaryDirectory(),
    AWS_ENDPOINT_URL_LAMBDA: origin(),
    AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "example",
    NO_PROXY: "127.0.0.1",
  });
  const run = (options: Partial<BuildOptions> = {}) =>
    buildWith({ lambdaLayer: ARN, environment: environment(), ...options });

  it("build --lambda-layer ARN asks AWS, fetches the zip and unpacks it", async () => {
    const { files, result } = await run();
    assert.equal(files.get("opt/bin/tool")?.mode, "755");
    assert.equal(result.layers[1]?.name, "lambda-layer tools:3");
    assert.deepEqual(asked, [
      `/2018-10-31/layers/${encodeURIComponent(ARN.replace(/:3$/, ""))}/versions/3`,
      "/zip?signature=1",
    ]);
  });

  it("build --lambda-layer ARN stops where the zip has another SHA-256 than AWS says", async () => {
    answer = { sha256: createHash("sha256").update("another").digest("base64") };
    await assert.rejects(run(), failsWith("CONTENT_MISMATCH", /the Lambda layer arn.* has the hash/));
  });

  it("build --lambda-layer ARN --lock records the version, and later builds ask nobody, also offline", async () => {
    const [lockFile, cacheDir] = [join(temporaryDirectory(), "lambda-pack.lock"), temporaryDirectory()];
    const first = await run({ lockFile, cacheDir, lock: true });
    assert.deepEqual(JSON.parse(readFileSync(lockFile, "utf8")).layers, {
      [ARN]: { sha256, architectures: ["x86_64"], runtimes: ["python3.12"] },
    });
    asked = [];
    const again = await run({ lockFile, cacheDir, offline: true });
    assert.equal(again.result.digest, first.result.digest);
    assert.deepEqual(asked, []);
  });

  it("build --lambda-layer ARN stops if the lock has another SHA-256, and --locked if it has none", async () => {
    const lockFile = join(temporaryDirectory(), "lambda-pack.lock");
    await assert.rejects(
      run({ lockFile, locked: true }),
      failsWith("LOCK_REFUSED", /does not name the Lambda layer/),
    );
    await run({ lockFile, lock: true });
    answer = { sha256: createHash("sha256").update("another").digest("base64") };
    await assert.rejects(run({ lockFile }), failsWith("LOCK_REFUSED", /the SHA-256 of arn/));
  });

  it("build --lambda-layer ARN refuses a layer of another architecture, and warns of another runtime", async () => {
    answer = { sha256, architectures: ["arm64"] };
    await assert.rejects(
      run(),
      failsWith("COMPOSITION_REFUSED", /is for arm64, and the image is for x86_64/),
    );
    answer = { sha256, runtimes: ["nodejs22.x"] };
    const events: BuildEvent[] = [];
    const registry = await TestRegistry.start();
    await publishBase(registry, "lambda/python", "3.12", lambdaBase());
    const mirror = { ...environment(), LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` };
    await run({ base: "python:3.12", environment: mirror, onEvent: (event) => events.push(event) });
    await registry.stop();
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.ok(
      warnings.some((message) => /is for nodejs22\.x, and the base is python3\.12/.test(message)),
      String(warnings),
    );
  });

  it("build --lambda-layer ARN without a version says why it needs one", () =>
    assert.rejects(run({ lambdaLayer: ARN.replace(/:3$/, "") }), failsWith("USAGE", /has no version/)));
});
