import assert from "node:assert/strict";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { BuildResult, InvokeResult } from "../../../src/index.ts";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { pullWithSkopeo } from "../../support/components/skopeo.ts";
import { run } from "../../support/run.ts";
import { addTree } from "../../support/trees.ts";

const HANDLER = `
import subprocess, sys
sys.path.append("/opt/python")
from layered import NAME
from shared.rules import RULE


def handler(event, context):
    tool = subprocess.run(["/opt/bin/tool"], capture_output=True, text=True, check=True)
    return [NAME, RULE, tool.stdout.strip(), open("/opt/alias").read()]
`;

/** A zip with zip64 sizes, a link and modes, as Python writes it. */
const ZIP = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    with z.open("python/layered.py", "w", force_zip64=True) as f:
        f.write(b"NAME = 'layer'\\n")
    link = zipfile.ZipInfo("alias")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    z.writestr(link, "data.txt")
    z.writestr("data.txt", "linked")
`;

describeReal(
  "build with files of an image of buildah, a zip of Python, an extension and another directory",
  ["docker-registry", "skopeo", "umoci", "buildah", "runc", "mmdebstrap", "python3", "root"],
  () => {
    // buildah takes the path for a name, which has no capitals.
    const directory = join(tmpdir(), `lambda-pack-composed-${process.pid}`);
    mkdirSync(directory, { mode: 0o755 });
    let registry: RealRegistry;
    let command: Command;
    let tools: string;
    before(async () => {
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
      addTree(directory, {
        "app/app.py": HANDLER,
        "shared/rules.py": "RULE = 'shared'\n",
        "shared/.dockerignore": "*.md\n",
        "shared/notes.md": "left out",
        "probe/extensions/probe": "#!/bin/sh\nexit 0\n",
        tool: { file: "#!/bin/sh\necho a tool of another image\n", mode: 0o755 },
      });
      await run("python3", ["-c", ZIP, join(directory, "layer.zip")]);
      tools = `${registry.host}/team/tools:1`;
      const buildah = (...args: readonly string[]) =>
        run("buildah", [
          ...["--storage-driver", "vfs", "--root", join(directory, "b"), "--runroot", join(directory, "r")],
          ...args,
        ]);
      const container = (await buildah("from", "scratch")).trim();
      await buildah("copy", container, join(directory, "tool"), "/usr/lib/tool/bin/tool");
      await buildah("commit", "--quiet", "--tls-verify=false", container, `docker://${tools}`);
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const build = (to: string, ...more: readonly string[]) =>
      command.succeed([
        ...["build", join(directory, "app"), "--base", "python:3.12", "--handler", "app.handler", "--json"],
        ...["--copy-from", `${tools}:/usr/lib/tool/bin:/opt/bin`],
        ...[
          "--lambda-layer",
          join(directory, "layer.zip"),
          "--add",
          `${join(directory, "shared")}:/var/task/shared`,
        ],
        ...["--to", `${registry.host}/app:${to}`, ...more],
      ]);

    it("has every part in a layer of its own with its modes and links, as umoci unpacks it, and passes check", async () => {
      const result = JSON.parse(await build("v1", "--extension", join(directory, "probe"))) as BuildResult;
      assert.deepEqual(
        result.layers.filter(({ how }) => how !== "base").map(({ name }) => name),
        ["copy /opt/bin", "lambda-layer layer", "extension probe", "add /var/task/shared", "app"],
      );
      await pullWithSkopeo(`docker://${registry.host}/app:v1`, join(directory, "pulled"));
      const layout = join(directory, "layout");
      await run("skopeo", [
        ...["copy", "-q", "--src-tls-verify=false", `docker://${registry.host}/app:v1`, `oci:${layout}:v1`],
      ]);
      const bundle = join(directory, "bundle");
      await run("umoci", ["unpack", "--image", `${layout}:v1`, bundle]);
      const at = (path: string) => join(bundle, "rootfs", path);
      const modes = [
        "opt/bin/tool",
        "opt/extensions/probe",
        "opt/python/layered.py",
        "var/task/shared/rules.py",
      ];
      assert.deepEqual(
        modes.map((path) => (lstatSync(at(path)).mode & 0o7777).toString(8)),
        ["755", "755", "644", "644"],
      );
      assert.equal(readlinkSync(at("opt/alias")), "data.txt");
      assert.equal(readFileSync(at("opt/python/layered.py"), "utf8"), "NAME = 'layer'\n");
      assert.throws(() => lstatSync(at("var/task/shared/notes.md")));
      const checked = await command.succeed(["check", `${registry.host}/app:v1`, "--deep", "--json"]);
      const { findings } = JSON.parse(checked);
      assert.deepEqual(
        findings.filter(({ severity }: { severity: string }) => severity === "error"),
        [],
      );
    });

    it("answers in invoke with what all parts bring", async () => {
      await build("v2");
      const args = ["invoke", `${registry.host}/app:v2`, "--event", "{}", "--timeout=20", "--json"];
      const { response, error } = JSON.parse(await command.succeed(args)) as InvokeResult;
      assert.deepEqual(error, undefined);
      assert.deepEqual(JSON.parse(response ?? ""), ["layer", "shared", "a tool of another image", "linked"]);
    });

    it("has the same digest a second time, offline and with everything from the cache", async () => {
      const first = JSON.parse(await build("v3")) as BuildResult;
      const again = JSON.parse(await build("v3", "--offline", "--dry-run")) as BuildResult;
      assert.equal(again.digest, first.digest);
      assert.ok(again.layers.every(({ how }) => how === "base" || how === "cached"));
    });
  },
);
