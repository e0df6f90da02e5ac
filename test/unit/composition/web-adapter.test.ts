import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildOptions, build, check } from "../../../src/index.ts";
import { openLayout } from "../../../src/layout/directory.ts";
import { failsWith } from "../../support/errors.ts";
import { elf } from "../../support/formats/elf.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { imageWith, inLayout } from "../../support/images/compose-image.ts";
import { AMD64, ARM64 } from "../../support/images/small-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const SERVER = { "server.js": "require('node:http').createServer().listen(8080);\n" };
const NODE = {
  usr: null,
  "usr/bin": null,
  "usr/bin/node": { text: "NODE", mode: 0o755 },
  var: null,
  "var/task": null,
};
const awsBase = { entrypoint: ["/lambda-entrypoint.sh"], workingDir: "/var/task" };

/** The registry of this test serves an image of the shape of public.ecr.aws/awsguru/aws-lambda-adapter. */
describe("build --web-adapter", () => {
  let registry: TestRegistry;
  let image: string;
  before(async () => {
    registry = await TestRegistry.start();
    image = `${registry.host}/awsguru/aws-lambda-adapter:1.0.0`;
    const adapter = async (machine: "x86_64" | "arm64") =>
      imageWith(
        [{ "lambda-adapter": { text: elf({ machine }), mode: 0o755 } }],
        {},
        machine === "arm64" ? ARM64 : AMD64,
      );
    await publishBase(
      registry,
      "awsguru/aws-lambda-adapter",
      "1.0.0",
      await adapter("x86_64"),
      await adapter("arm64"),
    );
  });
  after(() => registry.stop());

  async function buildServer(options: Partial<BuildOptions> = {}) {
    const out = join(temporaryDirectory(), "out");
    const result = await build({
      directory: makeTree(SERVER),
      base: await inLayout(await imageWith([NODE], awsBase)),
      webAdapter: image,
      to: `oci:${out}:latest`,
      cacheDir: temporaryDirectory(),
      environment: { HOME: temporaryDirectory() },
      ...options,
    });
    const { settings } = await openLayout(out).pull("latest", undefined);
    return { result, config: settings.config ?? {}, out };
  }
  const cmd = ["/usr/bin/node", "server.js"];

  it("build --web-adapter puts the adapter among the extensions, and starts the server in place of AWS's entry point", async () => {
    const { result, config, out } = await buildServer({ cmd });
    assert.deepEqual(config.Entrypoint, cmd);
    assert.deepEqual(config.Cmd, []);
    assert.deepEqual(config.Env, undefined);
    assert.deepEqual(
      result.layers.map(({ name }) => name),
      ["base 1", "web-adapter", "app"],
    );
    const { findings } = await check({
      source: `oci:${out}:latest`,
      deep: true,
      cacheDir: temporaryDirectory(),
    });
    assert.deepEqual(
      findings.filter(({ severity }) => severity === "error"),
      [],
    );
  });

  it("build --web-adapter keeps the entry point that the user gives, and the command of another base", async () => {
    const given = await buildServer({ entrypoint: cmd });
    assert.deepEqual([given.config.Entrypoint, given.config.Cmd], [cmd, []]);
    const base = await inLayout(await imageWith([NODE], { cmd, workingDir: "/var/task" }));
    const own = await buildServer({ base });
    assert.deepEqual([own.config.Entrypoint, own.config.Cmd], [undefined, cmd]);
  });

  it("build --web-adapter stops if nothing says what the server is, and for a handler", async () => {
    await assert.rejects(buildServer(), failsWith("USAGE", /nothing says which program is the web server/));
    await assert.rejects(
      buildServer({ handler: "app.handler" }),
      failsWith("USAGE", /--handler has no effect/),
    );
    await assert.rejects(
      buildServer({ webAdapter: "not a version", cmd }),
      failsWith("USAGE", /is not a version/),
    );
  });

  it("build --web-adapter --lock pins the adapter's image", async () => {
    const lockFile = join(temporaryDirectory(), "lambda-pack.lock");
    await buildServer({ cmd, lockFile, lock: true });
    const { bases } = JSON.parse(readFileSync(lockFile, "utf8"));
    assert.match(bases[image]["linux/amd64"], /^sha256:/);
  });

  it("build --web-adapter takes the adapter of the base's architecture", async () => {
    const base = await inLayout(await imageWith([NODE], awsBase, ARM64));
    const { result } = await buildServer({ base, cmd });
    assert.equal(result.platform, "linux/arm64");
  });

  it("build --web-adapter over one of AWS's bases fetches none of the base's layers", async () => {
    const base = lambdaBase();
    await publishBase(registry, "lambda/nodejs", "22", base);
    const environment = { HOME: temporaryDirectory(), LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` };
    const options = { base: "nodejs:22", webAdapter: image, cmd, environment, dryRun: true };
    await build({ directory: makeTree(SERVER), cacheDir: temporaryDirectory(), ...options });
    const fetched = registry.seen("get blob").filter(({ repository }) => repository === "lambda/nodejs");
    assert.deepEqual(
      fetched.map(({ reference }) => reference),
      [base.config.descriptor.digest],
    );
  });

  it("check warns if AWS's entry point stays although the image has the web adapter", async () => {
    const adapter = {
      opt: null,
      "opt/extensions": null,
      "opt/extensions/lambda-adapter": { text: "#!/bin/sh\n", mode: 0o755 },
    };
    const source = await inLayout(await imageWith([NODE, adapter], { ...awsBase, cmd: ["app.handler"] }));
    const { findings } = await check({ source, cacheDir: temporaryDirectory() });
    const found = findings.find(({ message }) => /web adapter/.test(message));
    assert.equal(found?.rule, "entrypoint");
    assert.equal(found?.severity, "warning");
  });
});
