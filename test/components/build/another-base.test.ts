import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Command } from "../../support/cli/command.ts";
import { describeReal } from "../../support/components/components.ts";
import { addRuntimeClient, debianNode } from "../../support/components/debian-node.ts";
import { runImage } from "../../support/components/run-image.ts";

const HANDLER =
  'export const handler = async ({ name }) => ({ hello: name, version: process.versions.node.split(".")[0] });\n';
const CLIENT = [
  "--entrypoint",
  "/var/lang/bin/node",
  "--entrypoint",
  "/var/task/node_modules/aws-lambda-ric/index.mjs",
];
/** What Lambda itself sets for the runtime. */
const PLATFORM = ["_HANDLER=index.handler", "LAMBDA_TASK_ROOT=/var/task"];

describeReal(
  "a Debian base with AWS's own runtime interface client from npm",
  ["skopeo", "umoci", "runc", "mmdebstrap", "cmake", "g++", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-another-base-"));
    chmodSync(directory, 0o755);
    const command = new Command();
    const app = join(directory, "app");
    let base: string;
    before(async () => {
      mkdirSync(app);
      writeFileSync(join(app, "index.mjs"), HANDLER);
      base = await debianNode(join(directory, "base"));
    });
    after(() => {
      command.remove();
      rmSync(directory, { recursive: true, force: true });
    });

    const build = (to: string, ...more: readonly string[]) => [
      "build",
      app,
      "--base",
      base,
      "--target",
      "/var/task",
      "--workdir",
      "/var/task",
      "--handler",
      "index.handler",
      "--to",
      `oci:${join(directory, to)}:v1`,
      ...more,
    ];

    it("without the client is stopped at build: exit 3, and which one to add", async () => {
      const { status, stderr } = await command.run(build("none"));
      assert.equal(status, 3, stderr);
      assert.match(stderr, /no runtime interface client for nodejs/);
      assert.match(stderr, /npm install aws-lambda-ric/);
    });

    it("with an entry point whose client is nowhere is stopped too: the base's files are read for that", async () => {
      const { status, stderr } = await command.run(build("nowhere", ...CLIENT));
      assert.equal(status, 3, stderr);
      assert.match(stderr, /client that it does not have/);
    });

    it("with the client runs the function, passes check, and is stopped for the wrong architecture", async () => {
      await addRuntimeClient(app);
      await command.succeed(build("good", ...CLIENT));
      const image = `oci:${join(directory, "good")}:v1`;
      const { outcomes, output } = await runImage(image, [{ name: "Ada" }, { name: "Grace" }], PLATFORM);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.kind === "result" ? JSON.parse(outcome.body) : output)),
        ["Ada", "Grace"].map((hello) => ({ hello, version: "22" })),
      );
      const { findings } = JSON.parse(await command.succeed(["check", image, "--json"]));
      assert.deepEqual(
        findings.filter(({ severity }: { severity: string }) => severity !== "info"),
        [],
      );
    });

    it("is stopped if the client's compiled part is for another machine", async () => {
      const arm = `oci:${join(directory, "arm")}:v1`;
      await command.succeed([
        "build",
        app,
        "--base",
        "scratch",
        "--arch",
        "arm64",
        "--no-check",
        "--cmd",
        "x",
        "--to",
        arm,
      ]);
      const { status, stderr } = await command.run([
        "build",
        app,
        "--base",
        arm,
        "--arch",
        "arm64",
        "--handler",
        "index.handler",
        "--to",
        `oci:${join(directory, "wrong")}`,
        ...CLIENT,
      ]);
      assert.equal(status, 3, stderr);
      assert.match(stderr, /rapid-client\.node: is for Linux on x86_64, and the image is for arm64/);
      assert.match(stderr, /npm_config_arch=arm64 npm rebuild aws-lambda-ric/);
    });
  },
);
