import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { runImage } from "../../support/components/run-image.ts";
import { run } from "../../support/run.ts";

const SOURCE = fileURLToPath(new URL("../../../testdata/apps/compiled-app/bootstrap.cpp", import.meta.url));

describeReal(
  "a compiled bootstrap over AWS's OS-only base",
  ["docker-registry", "skopeo", "umoci", "runc", "mmdebstrap", "g++", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-compiled-"));
    chmodSync(directory, 0o755);
    const app = join(directory, "app");
    let registry: RealRegistry;
    let command: Command;
    before(async () => {
      mkdirSync(app);
      await run("g++", ["-static", "-O2", "-o", join(app, "bootstrap"), SOURCE]);
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    const build = (...more: readonly string[]) => ["build", app, "--base", "provided:al2023", ...more];

    it("is put where Lambda starts it, with its exec bit, runs, and passes check with the base's files too", async () => {
      // As from a checkout on a system without exec bits.
      chmodSync(join(app, "bootstrap"), 0o644);
      const reference = await command.succeed(build("--to", `${registry.host}/app/compiled:v1`));
      const { outcomes, output } = await runImage(`docker://${reference}`, [
        { name: "Ada" },
        { name: "Grace" },
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.kind === "result" ? JSON.parse(outcome.body) : output)),
        ["Ada", "Grace"].map((name) => ({ compiled: true, handler: "bootstrap", event: { name } })),
      );
      const { findings } = JSON.parse(await command.succeed(["check", reference, "--deep", "--json"]));
      assert.deepEqual(
        findings.filter(({ severity }: { severity: string }) => severity !== "info"),
        [],
      );
    });

    it("for another machine is stopped at build", async () => {
      const { status, stderr } = await command.run(
        build("--arch", "arm64", "--to", `oci:${join(directory, "arm")}`),
      );
      assert.equal(status, 3, stderr);
      assert.match(stderr, /\/var\/runtime\/bootstrap: is for Linux on x86_64, and the image is for arm64/);
      assert.match(stderr, /linux\/arm64/);
    });
  },
);
