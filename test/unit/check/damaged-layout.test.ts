import assert from "node:assert/strict";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { check } from "../../../src/index.ts";
import { GOOD, writeImage } from "../../support/check-image.ts";
import { lambdaPack } from "../../support/cli.ts";

const DAMAGE: Readonly<Record<string, (path: string) => void>> = {
  "is missing": (path) => rmSync(path),
  "is empty": (path) => truncateSync(path, 0),
  "is short": (path) => truncateSync(path, readFileSync(path).length - 20),
  "has more bytes": (path) => writeFileSync(path, "more", { flag: "a" }),
  "has another digest": (path) => {
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill("x", 20, 28));
  },
};

/** The paths of the app's layer and of the config. */
function blobsOf(source: string): { readonly layer: string; readonly config: string } {
  const folder = source.slice("oci:".length, -":v1".length);
  const pathOf = ({ digest }: { digest: string }) =>
    join(folder, "blobs/sha256", digest.slice("sha256:".length));
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  const { layers, config } = JSON.parse(readFileSync(pathOf(index.manifests[0]), "utf8"));
  return { layer: pathOf(layers[1]), config: pathOf(config) };
}

describe("check of a damaged layout", () => {
  for (const [what, damage] of Object.entries(DAMAGE)) {
    for (const which of ["layer", "config"] as const) {
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
        assert.match(
          found?.message ?? "",
          which === "layer" ? /^layer 2 of 2 / : /^the config cannot be read: /,
        );
        assert.deepEqual(others, []);
      });
    }
  }
});
