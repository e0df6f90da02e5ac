import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { check, push } from "../../../src/index.ts";
import {
  file,
  GOOD,
  type TestImage,
  tarOf,
  withFiles,
  writeImage,
} from "../../support/images/check-image.ts";
import { temporaryDirectory } from "../../support/trees.ts";

/** What `docker save` since Docker 25 writes: the layout of what would be pushed, and beside it the manifest.json of old. */
async function savedByDocker(image: TestImage): Promise<string> {
  const layout = (await writeImage(image)).slice("oci:".length, -":v1".length);
  const read = (path: string) => readFileSync(join(layout, path));
  const blobs = readdirSync(join(layout, "blobs/sha256")).map((hex) => `blobs/sha256/${hex}`);
  const manifest = blobs
    .filter((path) => read(path)[0] === 0x7b)
    .map(
      (path) =>
        JSON.parse(String(read(path))) as { config?: { digest?: string }; layers?: { digest: string }[] },
    )
    .find(({ layers }) => layers !== undefined);
  const place = (digest = "") => `blobs/sha256/${digest.slice("sha256:".length)}`;
  const listing = [
    {
      Config: place(manifest?.config?.digest),
      RepoTags: ["app:v1"],
      Layers: manifest?.layers?.map(({ digest }) => place(digest)),
    },
  ];
  const names = [...blobs, "index.json", "oci-layout"];
  const tar = await tarOf([
    ...names.map((name) => ({ name, body: read(name) })),
    { name: "manifest.json", body: JSON.stringify(listing) },
  ]);
  const path = join(temporaryDirectory(), "saved.tar");
  writeFileSync(path, tar);
  return `docker-archive:${path}`;
}

async function rulesOf(source: string) {
  const { findings } = await check({ source, cache: false, environment: {} });
  return findings.map(({ rule, message }) => `${rule}: ${message}`);
}

describe("check of what docker save wrote", () => {
  it("finds nothing in a good image: its layers are compressed on the way to a registry", async () => {
    assert.deepEqual(await rulesOf(await savedByDocker(GOOD)), []);
    const old = `docker-archive:${join(temporaryDirectory(), "old.tar")}`;
    await push({ source: await writeImage(GOOD), to: old, cache: false, environment: {} });
    assert.deepEqual(await rulesOf(old), []);
  });

  it("names the index that docker push would send, with the attestations in it", async () => {
    const index = [GOOD.platform, { os: "unknown", architecture: "unknown" }];
    const [first = "", ...others] = await rulesOf(await savedByDocker({ ...GOOD, index }));
    assert.match(first, /^index-under-tag: .* an index of 2: linux\/amd64, and 1 that are attestations$/);
    assert.deepEqual(others, []);
  });

  it("finds an attestation instead of an image", async () => {
    const platform = { os: "unknown", architecture: "unknown" };
    const found = await rulesOf(await savedByDocker({ ...GOOD, platform }));
    assert.match(found.join("\n"), /^attestation: the config's platform is unknown\/unknown/);
  });

  it("finds what is wrong with its files", async () => {
    const saved = await savedByDocker(withFiles(file("var/task/closed.py", "", 0o600)));
    assert.match((await rulesOf(saved)).join("\n"), /^readable: [^\n]*closed\.py$/);
  });
});
