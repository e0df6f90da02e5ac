import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { Command } from "../../support/cli/command.ts";
import { pushBaseImages } from "../../support/components/base-images.ts";
import { describeReal } from "../../support/components/components.ts";
import { nodeApp } from "../../support/components/real-apps.ts";
import { type RealRegistry, startRegistry } from "../../support/components/registries.ts";
import { pullWithSkopeo } from "../../support/components/skopeo.ts";
import { run } from "../../support/run.ts";

describeReal(
  "images as files on disk",
  ["docker-registry", "skopeo", "umoci", "buildah", "oci-image-tool", "mmdebstrap", "root"],
  () => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-files-"));
    const at = (name: string) => join(directory, name);
    let registry: RealRegistry;
    let command: Command;
    let digest: string;

    before(async () => {
      registry = await startRegistry({ kind: "anonymous" });
      await pushBaseImages(registry.url);
      await nodeApp(at("app"));
      command = new Command({ LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda` });
      const to = [
        `oci:${at("layout")}:v1`,
        `oci-archive:${at("oci.tar")}`,
        `docker-archive:${at("docker.tar")}`,
      ];
      const flags = to.flatMap((destination) => ["--to", destination]);
      const told = await command.succeed(["build", at("app"), "--base", "nodejs:22", ...flags]);
      digest = told.slice(told.indexOf("sha256:"));
    });
    after(async () => {
      command?.remove();
      await registry?.stop();
      rmSync(directory, { recursive: true, force: true });
    });

    /** The diffIds tell whether the contents are the same, whatever the format around them. */
    async function diffIdsOf(image: string): Promise<unknown> {
      const config = JSON.parse(await run("skopeo", ["inspect", "--config", image])) as {
        readonly rootfs: { readonly diff_ids: unknown };
      };
      return config.rootfs.diff_ids;
    }

    it("are valid layouts to oci-image-tool", async () => {
      await run("oci-image-tool", ["validate", "--type", "image", "--ref", "name=v1", at("layout")]);
    });

    it("are layouts that umoci unpacks", async () => {
      await run("umoci", ["unpack", "--image", `${at("layout")}:v1`, at("bundle")]);
    });

    it("are layouts that buildah builds on", async () => {
      const storage = ["--storage-driver", "vfs", "--root", at("storage"), "--runroot", at("storage-run")];
      // buildah makes a name of the path, and no name of an image has capital letters: the path is a relative one.
      const name = (await run("buildah", [...storage, "from", "oci:layout:v1"], { cwd: directory })).trim();
      await run("buildah", [...storage, "rm", name]);
    });

    it("are, as layout and as OCI archive, the image of the digest that was told", async () => {
      for (const image of [`oci:${at("layout")}:v1`, `oci-archive:${at("oci.tar")}`]) {
        const inspected = JSON.parse(await run("skopeo", ["inspect", image])) as { readonly Digest: string };
        assert.equal(inspected.Digest, digest);
      }
    });

    it("are, as Docker archive, the same layers", async () => {
      const expected = await diffIdsOf(`oci:${at("layout")}:v1`);
      assert.deepEqual(await diffIdsOf(`docker-archive:${at("docker.tar")}`), expected);
      await pullWithSkopeo(`docker-archive:${at("docker.tar")}`, at("from-docker-archive"));
    });

    for (const source of ["layout", "oci.tar", "docker.tar"]) {
      it(`go from ${source} into a registry by push`, async () => {
        const transport = { layout: "oci", "oci.tar": "oci-archive", "docker.tar": "docker-archive" }[source];
        const tag = source === "layout" ? ":v1" : "";
        const to = `${registry.host}/files/${source.replace(".", "-")}:v1`;
        const reference = await command.succeed(["push", `${transport}:${at(source)}${tag}`, to]);
        const pulled = await pullWithSkopeo(`docker://${reference}`, at(`pulled-${source}`));
        assert.ok(pulled.manifest.layers.length > 4);
      });
    }

    it("come out of layouts that skopeo wrote, too", async () => {
      const image = `docker://${registry.host}/lambda/python:3.12-x86_64`;
      await run("skopeo", ["copy", "-q", "--src-tls-verify=false", image, `oci:${at("by-skopeo")}:base`]);
      const to = `${registry.host}/files/by-skopeo:v1`;
      const reference = await command.succeed(["push", `oci:${at("by-skopeo")}:base`, to]);
      const expected = await diffIdsOf(`oci:${at("by-skopeo")}:base`);
      await run("skopeo", [
        "copy",
        "-q",
        "--src-tls-verify=false",
        `docker://${reference}`,
        `oci:${at("again")}:v1`,
      ]);
      assert.deepEqual(await diffIdsOf(`oci:${at("again")}:v1`), expected);
    });
  },
);
