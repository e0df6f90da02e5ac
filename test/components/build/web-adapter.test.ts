import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { InvokeResult } from "../../../src/index.ts";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { run } from "../../support/run.ts";
import { addTree } from "../../support/trees.ts";

/** Stands in for the AWS Lambda Web Adapter: an extension that hands each event to the server on port 8080. */
const ADAPTER = `#!/var/lang/bin/node
const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API;
const headers = { "lambda-extension-name": "lambda-adapter" };
const json = (value) => ({ method: "POST", body: JSON.stringify(value), headers });
async function ask(event) {
  for (;;)
    try {
      const answer = await fetch("http://127.0.0.1:8080" + event.rawPath);
      return { statusCode: answer.status, body: await answer.text() };
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
async function main() {
  const registered = await fetch(api + "/2020-01-01/extension/register", json({ events: [] }));
  const id = registered.headers.get("lambda-extension-identifier");
  void fetch(api + "/2020-01-01/extension/event/next", { headers: { "lambda-extension-identifier": id } }).catch(() => {});
  for (;;) {
    const next = await fetch(api + "/2018-06-01/runtime/invocation/next");
    const path = "/2018-06-01/runtime/invocation/" + next.headers.get("lambda-runtime-aws-request-id") + "/response";
    await fetch(api + path, json(await ask(await next.json())));
  }
}
main();
`;
const SERVER = `require("node:http").createServer((request, response) => response.end("served " + request.url)).listen(8080);\n`;

describeReal(
  "build --web-adapter with an image of the adapter's shape in a registry",
  ["docker-registry", "skopeo", "umoci", "buildah", "mmdebstrap", "root"],
  () => {
    // buildah takes the path for a name, which has no capitals.
    const directory = join(tmpdir(), `lambda-pack-adapter-${process.pid}`);
    mkdirSync(directory, { mode: 0o755 });
    let registry: RealRegistry;
    let command: Command;
    let adapter: string;
    before(async () => {
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
      addTree(directory, { "app/server.js": SERVER, "lambda-adapter": { file: ADAPTER, mode: 0o755 } });
      adapter = `${registry.host}/awsguru/aws-lambda-adapter:1.0.0`;
      const buildah = (...args: readonly string[]) =>
        run("buildah", [
          ...["--storage-driver", "vfs", "--root", join(directory, "b"), "--runroot", join(directory, "r")],
          ...args,
        ]);
      const container = (await buildah("from", "scratch")).trim();
      await buildah("copy", container, join(directory, "lambda-adapter"), "/lambda-adapter");
      await buildah("commit", "--quiet", "--tls-verify=false", container, `docker://${adapter}`);
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    it("the web server answers in invoke through the adapter, and check finds no error", async () => {
      const image = `${registry.host}/app:v1`;
      await command.succeed([
        ...["build", join(directory, "app"), "--base", "nodejs:22", `--web-adapter=${adapter}`],
        ...["--cmd", '["/var/lang/bin/node", "server.js"]', "--to", image],
      ]);
      const { findings } = JSON.parse(await command.succeed(["check", image, "--deep", "--json"]));
      assert.deepEqual(
        findings.filter(({ severity }: { severity: string }) => severity === "error"),
        [],
      );
      const event = '{"rawPath":"/orders"}';
      const args = ["invoke", image, "--event", event, "--timeout=20", "--json"];
      const { response, error } = JSON.parse(await command.succeed(args)) as InvokeResult;
      assert.equal(error, undefined);
      assert.deepEqual(JSON.parse(response ?? ""), { statusCode: 200, body: "served /orders" });
    });
  },
);
