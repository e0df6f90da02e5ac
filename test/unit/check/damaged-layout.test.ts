import assert from "node:assert/strict";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { check, push } from "../../../src/index.ts";
import { digestOf, hexOf } from "../../../src/oci/digest.ts";
import { lambdaPack } from "../../support/cli/cli.ts";
import { failsWith } from "../../support/errors.ts";
import { GOOD, writeImage } from "../../support/images/check-image.ts";
import { temporaryDirectory } from "../../support/trees.ts";

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  "is missing": (path) => rmSync(path),
  "is empty": (path) => truncateSync(path, 0),
  "is short": (path) => truncateSync(path, Math.max(0, readFileSync(path).length - 20)),
  "has more bytes": (path) => writeFileSync(path, "more", { flag: "a" }),
  "has another digest": (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill("x", 20, 28));
  },
};

/** The paths of the app's layer, of the config, of the manifest and of the index. */
function blobsOf(source: string): Readonly<Record<"layer" | "config" | "manifest" | "index", string>> {
  const directory = source.slice("oci:".length, -":v1".length);
  const pathOf = ({ digest }: { digest: string }) =>
    join(directory, "blobs/sha256", digest.slice("sha256:".length));
  const index = JSON.parse(readFileSync(join(directory, "index.json"), "utf8"));
  const manifest = pathOf(index.manifests[0]);
  const { layers, config } = JSON.parse(readFileSync(manifest, "utf8"));
  return { layer: pathOf(layers[1]), config: pathOf(config), manifest, index: join(directory, "index.json") };
}

const SAYS = {
  layer: /^layer 2 of 2 /,
  config: /^the config cannot be read: /,
  manifest: /^the image cannot be read: sha256:/,
  index: /^the image cannot be read: .*index\.json/,
} as const;

describe("check of a damaged layout", () => {
  for (const [what, damage] of Object.entries(DAMAGE)) {
    for (const which of ["layer", "config", "manifest", "index"] as const) {
      it(`ends with 3 and a finding when the blob of a ${which} ${what}`, async () => {
        const source = await writeImage(GOOD);
        const blob = blobsOf(source)[which];
        damage(blob);
        const { status, stdout, stderr } = await lambdaPack(["check", source, "--no-cache", "--json"], {
          aws: { check },
        });
        assert.equal(status, 3, stderr);
        const findings: readonly { rule: string; message: string }[] = JSON.parse(stdout).findings;
        const [found, ...others] = findings.filter(({ rule }) => rule === "layer-content");
        assert.match(found?.message ?? "", SAYS[which]);
        assert.deepEqual(others, []);
      });
    }
  }
});

describe("check of a layout with a config that is larger than a document may be", () => {
  it("ends with a finding", async () => {
    const source = await writeImage(GOOD);
    const { config, manifest, index } = blobsOf(source);
    const large = replaceBlob(config, Buffer.concat([readFileSync(config), Buffer.alloc(5_000_000, " ")]));
    const changed = JSON.parse(readFileSync(manifest, "utf8"));
    Object.assign(changed.config, large);
    const named = JSON.parse(readFileSync(index, "utf8"));
    Object.assign(named.manifests[0], replaceBlob(manifest, Buffer.from(JSON.stringify(changed))));
    writeFileSync(index, JSON.stringify(named));
    const { ok, findings } = await check({ source, cache: false, environment: {} });
    assert.equal(ok, false);
    assert.match(findings[0]?.message ?? "", /^the config cannot be read: .*more than the 4194304/);
  });
});

/** Writes a blob beside another one, and returns what a descriptor says of it. */
function replaceBlob(path: string, bytes: Buffer): { readonly digest: string; readonly size: number } {
  const digest = digestOf(bytes);
  writeFileSync(join(dirname(path), hexOf(digest)), bytes);
  return { digest, size: bytes.length };
}

describe("check of a damaged archive", () => {
  const written = async (kind: "oci-archive" | "docker-archive") => {
    const file = join(temporaryDirectory(), "image.tar");
    await push({ source: await writeImage(GOOD), to: `${kind}:${file}`, cache: false, environment: {} });
    return file;
  };

  for (const kind of ["oci-archive", "docker-archive"] as const)
    for (const share of [0.9, 0.5, 0.2])
      it(`ends with 3 and a finding when ${share * 100} % of an ${kind} are left`, async () => {
        const file = await written(kind);
        truncateSync(file, Math.floor(readFileSync(file).length * share));
        const { ok, findings } = await check({ source: `${kind}:${file}`, cache: false, environment: {} });
        assert.equal(ok, false);
        assert.match(findings[0]?.message ?? "", /^the image cannot be read: .*(?:cut off|no tar archive)/);
      });

  it("check of a damaged archive is still an error if there is nothing to check", async () => {
    const empty = temporaryDirectory();
    const options = { cache: false, environment: {} };
    await assert.rejects(check({ ...options, source: `oci:${empty}` }), failsWith("LAYOUT_INVALID"));
    await assert.rejects(check({ ...options, source: `oci:${empty}/no` }), failsWith("IMAGE_NOT_FOUND"));
  });
});
