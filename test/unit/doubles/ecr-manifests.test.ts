import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { sha256 } from "../../support/ecr/content/repositories.ts";
import { FakeEcr } from "../../support/ecr/ecr.ts";
import { type Asked, ask, complaint, type Told } from "../../support/ecr/http/client.ts";
import { privateQuirks } from "../../support/ecr/quirks.ts";

const ecr = new FakeEcr();
const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
let base: string;
let authorization: string;

const call = (method: string, path: string, more: Asked = {}): Promise<Told> =>
  ask(new URL(path, base).href, { ...more, method, headers: { authorization, ...more.headers } });
const app = () => ecr.repository("app");

/** A manifest whose blobs are in the repository. */
function image(changes: object = {}): Buffer {
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    size: 2,
    digest: app().addBlob("{}"),
  };
  const layer = {
    mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
    size: 5,
    digest: app().addBlob("layer"),
  };
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI, config, layers: [layer], ...changes }),
  );
}
const put = (reference: string, body: Uint8Array, type = OCI) =>
  call("PUT", `/v2/app/manifests/${reference}`, { body, headers: { "content-type": type } });

before(async () => {
  base = await ecr.start();
});
after(() => ecr.stop());
beforeEach(() => {
  Object.assign(ecr.quirks, privateQuirks());
  authorization = ecr.login();
  ecr.denied.clear();
  ecr.registry().repositories.clear();
  app();
});

describe("a manifest of the fake ECR", () => {
  const get = (reference: string, accept = OCI) =>
    call("GET", `/v2/app/manifests/${reference}`, { headers: { accept } });

  it("comes back byte for byte under its tag and digest", async () => {
    const bytes = image();
    const told = await put("v1", bytes);
    assert.deepEqual([told.status, told.headers["docker-content-digest"]], [201, sha256(bytes)]);
    for (const reference of ["v1", sha256(bytes)]) {
      const back = await get(reference);
      assert.deepEqual([back.body, back.headers["content-type"]], [bytes, OCI]);
    }
    assert.match(complaint(await get("none")), /^404 MANIFEST_UNKNOWN Requested image not found$/);
  });

  it("a manifest of the fake ECR is converted for who accepts only the other family, by tag, not by digest (Q17)", async () => {
    const bytes = image();
    await put("v1", bytes);
    assert.deepEqual((await get("v1", DOCKER)).body, bytes);
    ecr.quirks.tagConversion = true;
    const other = await get("v1", DOCKER);
    assert.equal(other.headers["content-type"], DOCKER);
    assert.equal(other.headers["docker-content-digest"], sha256(other.body));
    assert.notDeepEqual(other.body, bytes);
    assert.deepEqual((await get("v1", `${DOCKER}, ${OCI}`)).body, bytes);
    assert.deepEqual((await get(sha256(bytes), DOCKER)).body, bytes);
  });

  it("a manifest of the fake ECR is refused for each thing that ECR dislikes (Q18)", async () => {
    const index = "application/vnd.oci.image.index.v1+json";
    const child = { mediaType: OCI, size: 1, digest: sha256(image()), platform: { features: ["sse4"] } };
    const disliked: readonly (readonly [body: Buffer, type?: string])[] = [
      [image({ layers: [] })],
      [image({ mediaType: undefined })],
      [image({ mediaType: DOCKER })],
      [Buffer.from("{")],
      [Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [child] })), index],
    ];
    const wanted =
      "405 UNSUPPORTED Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
    for (const [body, type] of disliked) assert.equal(complaint(await put("v1", body, type)), wanted);
    ecr.quirks.manifestRefusals = false;
    assert.equal((await put("v1", image({ layers: [] }))).status, 201);
  });

  it("a manifest of the fake ECR is refused while its layers are missing (Q19)", async () => {
    const bytes = image();
    app().blobs.delete(sha256(Buffer.from("layer")));
    const message = `Layers with digests '[${sha256(Buffer.from("layer"))}]' required for pushing image into repository with name 'app' in the registry with id '123456789012' do not exist`;
    assert.equal(complaint(await put("v1", bytes)), `404 BLOB_UPLOAD_UNKNOWN ${message}`);
    ecr.quirks.missingLayers = 400;
    assert.equal((await put("v1", bytes)).status, 400);
    ecr.quirks.missingLayers = false;
    assert.equal((await put("v1", bytes)).status, 201);
  });

  it("cannot be put again under an immutable tag, not even the same (Q20)", async () => {
    ecr.quirks.immutableTags = true;
    const bytes = image();
    assert.equal((await put("v1", bytes)).status, 201);
    const wanted =
      "400 TAG_INVALID The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.";
    assert.equal(complaint(await put("v1", bytes)), wanted);
    assert.equal((await put(sha256(bytes), bytes)).status, 201);
  });

  it("a manifest of the fake ECR is not looked up under a tag outside the grammar, nor listed by more than 1000 (Q25)", async () => {
    assert.equal((await call("HEAD", "/v2/app/manifests/a+b")).status, 400);
    assert.equal((await call("GET", "/v2/app/tags/list?n=1001")).status, 400);
    ecr.quirks.strictParameters = false;
    assert.equal((await call("HEAD", "/v2/app/manifests/a+b")).status, 404);
  });

  it("a manifest of the fake ECR is listed by tag, page by page", async () => {
    for (const tag of ["c", "a", "b"]) app().addManifest(image(), OCI, tag);
    const { body, headers } = await call("GET", "/v2/app/tags/list?n=2");
    assert.deepEqual(JSON.parse(String(body)), { name: "app", tags: ["a", "b"] });
    const next = /<(.+)>; rel="next"/.exec(String(headers["link"]))?.[1] ?? "";
    assert.deepEqual(JSON.parse(String((await call("GET", next)).body)).tags, ["c"]);
  });

  it("loses its digest header when Q26 is switched", async () => {
    ecr.quirks.contentDigest = false;
    assert.equal((await put("v1", image())).headers["docker-content-digest"], undefined);
    assert.equal((await get("v1")).headers["docker-content-digest"], undefined);
  });

  it("a manifest of the fake ECR is found from its subject (Q27)", async () => {
    const subject = app().addManifest(image(), OCI);
    const bytes = image({
      subject: { mediaType: OCI, size: 1, digest: subject },
      artifactType: "application/x",
    });
    assert.equal((await put(sha256(bytes), bytes)).headers["oci-subject"], subject);
    const { body } = await call("GET", `/v2/app/referrers/${subject}`);
    assert.equal(JSON.parse(String(body)).manifests[0].digest, sha256(bytes));
    const filtered = await call("GET", `/v2/app/referrers/${subject}?artifactType=application/y`);
    assert.deepEqual(JSON.parse(String(filtered.body)).manifests, []);
    ecr.quirks.referrers = false;
    assert.equal((await call("GET", `/v2/app/referrers/${subject}`)).status, 404);
    assert.equal((await put("v1", bytes)).headers["oci-subject"], undefined);
  });
});
