import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import type { PushResult } from "../../../src/index.ts";
import { Command } from "../../support/cli/command.ts";
import { describeReal } from "../../support/components/components.ts";
import { debianPython } from "../../support/components/debian-node.ts";
import { pullWithSkopeo } from "../../support/components/skopeo.ts";
import { run } from "../../support/run.ts";

describeReal(
  "push --for-lambda of images that buildah and skopeo made of Debian",
  ["skopeo", "umoci", "buildah", "mmdebstrap", "root"],
  () => {
    // buildah takes the path for a name, which has no capitals.
    const directory = join(tmpdir(), `lambda-pack-for-lambda-${process.pid}`);
    mkdirSync(directory, { mode: 0o755 });
    const command = new Command();
    const buildah = (...args: readonly string[]) =>
      run("buildah", [
        ...[
          "--storage-driver",
          "vfs",
          "--root",
          join(directory, "buildah"),
          "--runroot",
          join(directory, "run"),
        ],
        ...args,
      ]);
    let made: string;
    before(async () => {
      const base = await debianPython(join(directory, "base"));
      writeFileSync(join(directory, "app.py"), "def handler(event, context): return event\n");
      const container = (await buildah("from", base)).trim();
      await buildah("copy", container, join(directory, "app.py"), "/srv/app/app.py");
      made = `oci:${join(directory, "made")}:v1`;
      await buildah("commit", "--quiet", "--format", "oci", container, made);
    });
    after(() => {
      command.remove();
      rmSync(directory, { recursive: true, force: true });
    });

    const push = async (source: string, name: string): Promise<{ result: PushResult; image: string }> => {
      const image = `oci:${join(directory, name)}:v1`;
      const result = JSON.parse(
        await command.succeed(["push", source, image, "--for-lambda", "--json"]),
      ) as PushResult;
      return { result, image };
    };

    it("zstd layers of skopeo become gzip, which check, umoci and skopeo read", async () => {
      const zstd = `oci:${join(directory, "zstd")}:v1`;
      await run("skopeo", [
        "copy",
        "-q",
        "--dest-compress-format",
        "zstd",
        "--dest-force-compress-format",
        made,
        zstd,
      ]).catch(() => run("skopeo", ["copy", "-q", "--dest-compress-format", "zstd", made, zstd]));
      const before = await pullWithSkopeo(zstd, join(directory, "zstd-pulled"));
      assert.ok(
        before.manifest.layers.every(({ mediaType }) => mediaType.endsWith("+zstd")),
        JSON.stringify(before.manifest),
      );
      const { result, image } = await push(zstd, "gzip");
      const changed = result.changes?.filter((line) => /gzip instead of zstd/.test(line)) ?? [];
      assert.equal(changed.length, before.manifest.layers.length);
      const pulled = await pullWithSkopeo(image, join(directory, "gzip-pulled"));
      assert.ok(pulled.manifest.layers.every(({ mediaType }) => mediaType.endsWith("+gzip")));
      assert.deepEqual(pulled.config, before.config);
      const { findings } = JSON.parse(
        await command.succeed([
          "check",
          image,
          "--deep",
          "--json",
          "--allow",
          "runtime-client",
          "--allow",
          "entrypoint",
        ]),
      );
      assert.deepEqual(
        findings.filter(({ severity }: { severity: string }) => severity === "error"),
        [],
      );
      const bundle = join(directory, "bundle");
      await run("umoci", ["unpack", "--image", image.slice("oci:".length), bundle]);
      const text = readFileSync(join(bundle, "rootfs/srv/app/app.py"), "utf8");
      assert.match(text, /def handler/);
    });

    it("an image of buildah in an index with an attestation is pushed as the one manifest, with the digest that it had", async () => {
      const layout = join(directory, "made");
      const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
      const [entry] = index.manifests;
      const { annotations, ...descriptor } = entry;
      const platform = { os: "linux", architecture: "amd64" };
      const attestation = {
        ...descriptor,
        platform: { os: "unknown", architecture: "unknown" },
        annotations: {
          "vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": descriptor.digest,
        },
      };
      const inner = {
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [{ ...descriptor, platform }, attestation],
      };
      const bytes = Buffer.from(JSON.stringify(inner));
      const digest = `sha256:${(await run("sh", ["-c", "printf %s \"$1\" | sha256sum | cut -d' ' -f1", "sh", bytes.toString()])).trim()}`;
      writeFileSync(join(layout, "blobs/sha256", digest.slice("sha256:".length)), bytes);
      const named = { mediaType: INDEX, digest, size: bytes.length, annotations };
      writeFileSync(join(layout, "index.json"), JSON.stringify({ ...index, manifests: [named] }));
      const { result } = await push(made, "single");
      assert.equal(result.changes?.[0], "index: the one manifest for linux/amd64, without 1 attestation");
      if (result.changes.length === 1) assert.equal(result.digest, descriptor.digest);
    });
  },
);

const INDEX = "application/vnd.oci.image.index.v1+json";
