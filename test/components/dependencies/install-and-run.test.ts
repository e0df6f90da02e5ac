import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { copyApp } from "../../support/components/real-apps.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { runImage } from "../../support/components/run-image.ts";
import { makeWheel, type Wheel } from "../../support/formats/wheels.ts";
import { serve } from "../../support/http/serve.ts";
import { run } from "../../support/run.ts";

/** Debian's idna as a wheel: the tests need no PyPI. */
async function idnaWheel(work: string): Promise<Wheel> {
  mkdirSync(work);
  await run("apt-get", ["download", "-q", "python3-idna"], { cwd: work });
  const [name = ""] = readdirSync(work);
  await run("dpkg-deb", ["-x", join(work, name), join(work, "root")]);
  const module = join(work, "root/usr/lib/python3/dist-packages/idna");
  const files = readdirSync(module).filter((file) => file.endsWith(".py"));
  const contents = files.map((file) => [`idna/${file}`, readFileSync(join(module, file))] as const);
  return makeWheel("idna", "3.3", "py3-none-any", Object.fromEntries(contents));
}

describeReal(
  "an example of testdata/apps, built with --install on an empty cache",
  ["docker-registry", "skopeo", "umoci", "runc", "mmdebstrap", "npm", "python3", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-install-and-run-"));
    // mkdtemp's 0700 would hide the unpacked images from Lambda's user.
    chmodSync(directory, 0o755);
    let registry: RealRegistry;
    let command: Command;
    before(async () => {
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const answerOf = async (image: string, event: unknown) => {
      const { outcomes, output } = await runImage(`docker://${image}`, [event]);
      const [outcome] = outcomes;
      assert.equal(outcome?.kind, "result", output);
      return JSON.parse(outcome.body);
    };

    it("runs and answers in Node, from its package-lock.json", async () => {
      const app = join(directory, "node");
      copyApp("node-app", app);
      const image = await command.succeed([
        "build",
        app,
        "--install",
        "--base",
        "nodejs:22",
        "--to",
        `${registry.host}/app/node:v1`,
      ]);
      const { greeting, newer, xml } = await answerOf(image, { name: "Ada" });
      assert.deepEqual(
        { greeting, newer, xml },
        { greeting: "Grüße an Ada", newer: true, xml: { a: { b: 1 } } },
      );
    });

    it("runs and answers in Python, from its requirements.txt", async (t) => {
      const wheel = await idnaWheel(join(directory, "debian"));
      const index = await serve(t, ({ url = "" }, response) => {
        if (url === `/${wheel.file}`) response.end(wheel.bytes);
        else
          response
            .setHeader("content-type", "text/html")
            .end(`<a href="/${wheel.file}#sha256=${wheel.sha256}">${wheel.file}</a>`);
      });
      const app = join(directory, "python");
      copyApp("python-install", app);
      const env = { PIP_INDEX_URL: `${index}simple`, UV_INDEX_URL: `${index}simple` };
      const build = [
        "build",
        app,
        "--install",
        "--base",
        "python:3.12",
        "--to",
        `${registry.host}/app/python:v1`,
      ];
      const image = await command.succeed(build, { env });
      assert.deepEqual(await answerOf(image, { name: "bücher.example" }), { host: "xn--bcher-kva.example" });
    });
  },
);
