import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ARCHITECTURE, makeBase } from "../../../scripts/demo/base.ts";
import { build, type InvokeOptions, invoke, push } from "../../../src/index.ts";
import { probeSandbox } from "../../../src/runtime/sandbox/tools.ts";
import { lambdaPack } from "../../support/cli/cli.ts";
import { lockedAs, npmRegistry, testPackage } from "../../support/http/npm-registry.ts";
import { appOf } from "../../support/local-function.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { PROGRAM } from "../../support/run.ts";
import { until } from "../../support/time.ts";
import { withoutNamespaces } from "../../support/without-namespaces.ts";

const SOURCE =
  "exports.handler = async (event) => ({ event, uid: process.getuid(), stage: process.env.STAGE });";
/** Starts a process that leaves its group, and never answers. */
const BUSY = `exports.handler = async () => {
  require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
  console.log("waiting");
  await new Promise((done) => setTimeout(done, 60_000));
};`;
const root = fileURLToPath(new URL("../../..", import.meta.url));

/** Processes that have this text in their environment. */
function processesWith(text: string): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "latin1").includes(text);
    } catch {
      return false; // it has ended
    }
  });
}

const probe = await probeSandbox();
const linux = process.platform !== "linux" && "Lambda's images run on Linux";
const sandbox = linux || ("reason" in probe && probe.reason);

describe("invoke of an image", { skip: linux }, () => {
  const work = mkdtempSync(join(tmpdir(), "lambda-pack-invoke-"));
  const cacheDirectory = join(work, "cache");
  const layout = `oci:${join(work, "hello")}:v1`;

  before(async () => {
    await makeBase(join(work, "base-files"), `oci:${join(work, "base")}`, cacheDirectory);
    const app = mkdtempSync(join(work, "app-"));
    writeFileSync(join(app, "index.js"), SOURCE);
    await build({
      ...{ directory: app, base: `oci:${join(work, "base")}`, handler: "index.handler", to: layout },
      ...{ arch: ARCHITECTURE, env: { STAGE: "of the image" }, cacheDir: cacheDirectory },
    });
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  const run = (options: Omit<InvokeOptions, "source">, source = layout) =>
    invoke({ source, cacheDir: cacheDirectory, timeout: 20, ...options });

  it("runs it in a sandbox with the image's own runtime and variables", { skip: sandbox }, async () => {
    const result = await run({ event: 7 });
    assert.deepEqual(JSON.parse(result.response ?? ""), { event: 7, uid: 993, stage: "of the image" });
    assert.match(result.ranWith, /^the image's own runtime, in a sandbox of namespaces, /);
    assert.equal(result.handler, "index.handler");
  });

  it("builds a directory in memory and runs the image, where --sandbox is given", {
    skip: sandbox,
  }, async (t) => {
    const directory = appOf(t, { "index.js": SOURCE, "data.txt": "x", ".lambdaignore": "data.txt\n" });
    const base = `oci:${join(work, "base")}`;
    const result = await run(
      { event: 1, sandbox: true, base, handler: "index.handler", env: { STAGE: "built" } },
      directory,
    );
    assert.deepEqual(JSON.parse(result.response ?? ""), { event: 1, uid: 993, stage: "built" });
    assert.equal(existsSync(join(directory, ".lambda-pack")), false);
    const untold = mkdtempSync(join(work, "untold-"));
    await assert.rejects(run({ sandbox: true }, untold), { code: "USAGE", hint: /add --base/ });
  });

  it("installs what the lock file names into the image of a directory", {
    skip: sandbox,
  }, async (t) => {
    const seven = await testPackage("seven", "1.0.0", { "index.js": "module.exports = 7;" });
    const { url } = await npmRegistry(t, [seven]);
    const lock = { "": { dependencies: { seven: "^1" } }, "node_modules/seven": lockedAs(seven) };
    const directory = appOf(t, {
      "index.js": "exports.handler = async () => require('seven');",
      "package.json": JSON.stringify({ dependencies: { seven: "^1" } }),
      "package-lock.json": JSON.stringify({ lockfileVersion: 3, packages: lock }),
      ".npmrc": `registry=${url}\n`,
    });
    const base = `oci:${join(work, "base")}`;
    const result = await run(
      { sandbox: true, install: "npm-lock", base, handler: "index.handler" },
      directory,
    );
    assert.equal(result.response, "7", result.logs);
  });

  it("leaves no process of the sandbox when the command is killed with SIGKILL", {
    skip: sandbox,
  }, async (t) => {
    const busy = `oci:${join(work, "busy")}`;
    const directory = appOf(t, { "index.js": BUSY });
    await build({
      directory,
      base: `oci:${join(work, "base")}`,
      to: busy,
      arch: ARCHITECTURE,
      cacheDir: cacheDirectory,
    });
    const mark = randomUUID();
    const args = [...PROGRAM, "invoke", busy, "--timeout", "60", "--env", `MARK=${mark}`];
    const command = spawn(process.execPath, [...args, "--cache-dir", cacheDirectory], { cwd: root });
    t.after(() => command.kill("SIGKILL"));
    let log = "";
    for await (const chunk of command.stderr) {
      log += String(chunk);
      if (log.includes("waiting")) break;
    }
    assert.ok(processesWith(mark).length >= 2, log);
    command.kill("SIGKILL");
    await until(() => processesWith(mark).length === 0, "all processes of the sandbox have ended");
  });

  it("leaves nothing of the unpacked image behind", { skip: sandbox }, async () => {
    await run({});
    assert.deepEqual(
      readdirSync(cacheDirectory).filter((name) => name.startsWith(".work")),
      [],
    );
  });

  it("runs an image from a registry, and from an archive", { skip: sandbox }, async (t) => {
    const registry = await TestRegistry.start();
    t.after(() => registry.stop());
    const remote = `${registry.host}/team/hello:v1`;
    const archive = `docker-archive:${join(work, "hello.tar")}`;
    await push({ source: layout, to: [remote, archive], arch: ARCHITECTURE, cacheDir: cacheDirectory });
    for (const source of [remote, archive]) {
      assert.equal((await run({ event: {} }, source)).outcome, "result");
    }
    assert.match((await run({}, remote)).logs, /START RequestId/);
  });

  it("runs with this machine's Node if a sandbox is not wanted, and says so", async () => {
    const result = await run({ sandbox: false, env: { STAGE: "of the user" } });
    const { uid, stage } = JSON.parse(result.response ?? "");
    assert.deepEqual([uid, stage], [process.getuid?.(), "of the user"]);
    assert.match(
      result.ranWith,
      /^node [\d.]+ of this machine, no sandbox: --no-sandbox is given, lambda-pack's own/,
    );
  });

  it("runs with this machine's Node if the system allows no namespaces, and says why", {
    skip: sandbox,
  }, async () => {
    const cli = [...PROGRAM, "invoke", layout, "--cache-dir", cacheDirectory];
    const { stdout, stderr } = await withoutNamespaces([...cli, "--event", "1"]);
    assert.equal(JSON.parse(stdout).event, 1);
    assert.match(stderr, /no sandbox: this machine allows no user namespaces \(/);
  });

  it("refuses a flag that has no effect on what is run", async (t) => {
    const directory = appOf(t, { "index.js": SOURCE });
    const flags: readonly (readonly [string, string])[] = [
      [directory, "--network"],
      [directory, "--no-sandbox"],
      [layout, "--base=nodejs:22"],
      [layout, "--exclude=*.md"],
      [layout, "--bundle"],
      [layout, "--install"],
    ];
    for (const [source, flag] of flags) {
      const { status, stderr } = await lambdaPack(["invoke", source, flag], { aws: { invoke } });
      assert.equal(status, 2);
      assert.match(stderr, /has no effect on/);
    }
  });

  it("reports what the image's runtime says of a handler that is not there", { skip: sandbox }, async () => {
    const result = await run({ handler: "other.handler" });
    assert.equal(result.outcome, "error");
    assert.match(result.error?.errorMessage ?? "", /Cannot find module/);
  });
});
