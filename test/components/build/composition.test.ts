import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { InvokeResult } from "../../../src/index.ts";
import { Command } from "../../support/cli/command.ts";
import { describeReal } from "../../support/components/components.ts";
import { debianNode, debianPython } from "../../support/components/debian-node.ts";
import { runImage } from "../../support/components/run-image.ts";
import { run } from "../../support/run.ts";

const NODE_HANDLER =
  'export const handler = async ({ name }, context) => ({ hello: name, id: context.awsRequestId.length > 0, node: process.versions.node.split(".")[0] });\n';
const PYTHON_HANDLER =
  'import sys\n\n\ndef handler(event, context):\n    return {"hello": event["name"], "id": len(context.aws_request_id) > 0, "python": sys.version_info[0]}\n';

describeReal(
  "build --runtime-client over Debian bases",
  ["skopeo", "umoci", "runc", "mmdebstrap", "npm", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-composition-"));
    chmodSync(directory, 0o755);
    const command = new Command();
    const makeApp = (name: string, file: string, text: string) => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, file), text);
      return join(directory, name);
    };
    let bases: { readonly node: string; readonly python: string };
    before(async () => {
      bases = {
        node: await debianNode(join(directory, "node-base")),
        python: await debianPython(join(directory, "python-base")),
      };
    });
    after(() => {
      command.remove();
      rmSync(directory, { recursive: true, force: true });
    });

    const build = async (app: string, base: string) => {
      const image = `oci:${app}-image:v1`;
      await command.succeed(["build", app, "--base", base, "--runtime-client", "--to", image]);
      return image;
    };

    /** Is checked, and answers in the sandbox of invoke and in runc as Lambda runs it. */
    const runs = async (image: string, expected: unknown) => {
      const { findings } = JSON.parse(await command.succeed(["check", image, "--deep", "--json"]));
      const wrong = findings.filter(({ severity }: { severity: string }) => severity !== "info");
      assert.deepEqual(wrong, []);
      const args = ["invoke", image, "--event", '{"name":"Ada"}', "--timeout=20", "--json"];
      const { response, ranWith } = JSON.parse(await command.succeed(args)) as InvokeResult;
      assert.deepEqual(JSON.parse(response ?? ""), expected);
      assert.match(ranWith, /the image's own runtime, in a sandbox/);
      const { outcomes, output } = await runImage(image, [{ name: "Ada" }, { name: "Ada" }]);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.kind === "result" ? JSON.parse(outcome.body) : output)),
        [expected, expected],
      );
    };

    it("a Node function with --runtime-client passes check, and runs in invoke and in runc", async () => {
      const app = makeApp("node", "index.mjs", NODE_HANDLER);
      await runs(await build(app, bases.node), { hello: "Ada", id: true, node: "22" });
    });

    it("a Python function with --runtime-client passes check, and runs in invoke and in runc", async () => {
      const app = makeApp(
        "python",
        "lambda_function.py",
        PYTHON_HANDLER.replace("handler", "lambda_handler"),
      );
      await runs(await build(app, bases.python), { hello: "Ada", id: true, python: 3 });
    });

    it("an app with AWS's own client for Node, installed without its compiled part, starts that one", async () => {
      const app = makeApp("aws", "index.mjs", NODE_HANDLER);
      writeFileSync(join(app, "package.json"), '{"private": true}');
      await run("npm", [
        "install",
        "--prefix",
        app,
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "aws-lambda-ric@4.0.2",
      ]);
      const image = await build(app, bases.node);
      const args = ["invoke", image, "--event", '{"name":"Ada"}', "--timeout=20", "--json"];
      const { response } = JSON.parse(await command.succeed(args)) as InvokeResult;
      assert.deepEqual(JSON.parse(response ?? ""), { hello: "Ada", id: true, node: "22" });
    });
  },
);
