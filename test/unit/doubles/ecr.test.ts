import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { sha256 } from "../../support/ecr/content/repositories.ts";
import { FakeEcr } from "../../support/ecr/ecr.ts";
import { type Asked, ask, complaint, type Told } from "../../support/ecr/http/client.ts";
import { privateQuirks } from "../../support/ecr/quirks.ts";

let clock = 1_700_000_000_000;
const ecr = new FakeEcr({ now: () => clock });
const OCI = "application/vnd.oci.image.manifest.v1+json";
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

describe("who may speak to the fake ECR", () => {
  it("gets a Basic challenge without credentials, and the connection is closed before a body is read (Q1)", async () => {
    const told = await ask(`${base}/v2/`);
    assert.equal(told.status, 401);
    assert.equal(told.headers["www-authenticate"], `Basic realm="${base}/",service="ecr.amazonaws.com"`);
    const headers = { connection: "keep-alive" };
    const posted = await ask(`${base}/v2/app/blobs/uploads/x`, { method: "PATCH", body: "12345", headers });
    assert.deepEqual([posted.status, posted.headers.connection], [401, "close"]);
    assert.equal(ecr.log.at(-1)?.bodyBytes, 0);
  });

  it("passes without credentials when Q1 is off", async () => {
    ecr.quirks.basicAuth = false;
    assert.equal((await ask(`${base}/v2/`)).status, 200);
  });

  it("who may speak to the fake ECR is refused with a token that is made up, or of another region", async () => {
    for (const wrong of ["Basic QVdTOm1hZGUtdXA=", ecr.login("us-west-2"), "Bearer x"]) {
      assert.equal((await ask(`${base}/v2/`, { headers: { authorization: wrong } })).status, 401);
    }
  });

  it("who may speak to the fake ECR is denied with an expired token: by time, by use, or by the test (Q2)", async () => {
    const expired = "403 DENIED Your authorization token has expired. Reauthenticate and try again.";
    clock += 12 * 3600 * 1000 - 1;
    assert.equal((await call("GET", "/v2/")).status, 200);
    clock += 1;
    assert.equal(complaint(await call("GET", "/v2/")), expired);
    authorization = ecr.login();
    ecr.quirks.tokenLife = { seconds: 60, requests: 1 };
    assert.equal((await call("GET", "/v2/")).status, 200);
    assert.equal(complaint(await call("GET", "/v2/")), expired);
    ecr.quirks.tokenLife = { seconds: 60, requests: 100 };
    authorization = ecr.login();
    ecr.tokens.expireAll();
    assert.equal(complaint(await call("GET", "/v2/")), expired);
  });

  it("hears which action is missing", async () => {
    ecr.denied.add("ecr:PutImage");
    assert.match(
      complaint(await put("v1", image())),
      /^403 DENIED User: arn:.* perform: ecr:PutImage on resource: arn/,
    );
  });

  it("who may speak to the fake ECR is throttled above the rate of its action, and not for long (Q21)", async () => {
    ecr.quirks.throttle = { "ecr:PutImage": 2 };
    const body = image();
    const statuses = [await put("a", body), await put("b", body), await put("c", body)].map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses, [201, 201, 429]);
    const refused = await put("c", body);
    assert.equal(complaint(refused), "429 TOOMANYREQUESTS Rate exceeded");
    assert.equal(refused.headers["retry-after"], undefined);
    clock += 500;
    assert.equal((await put("c", body)).status, 201);
  });

  it("finds registry/2.0 on every answer (Q26)", async () => {
    for (const path of ["/v2/", "/v2/none/manifests/v1"]) {
      assert.equal((await call("GET", path)).headers["docker-distribution-api-version"], "registry/2.0");
    }
  });
});

describe("a repository that is not there", () => {
  const begin = (name = "none") => call("POST", `/v2/${name}/blobs/uploads/`, { body: "" });

  it("hangs up on an upload, as without permission (Q3)", async () => {
    await assert.rejects(begin(), { code: "ECONNRESET" });
    ecr.denied.add("ecr:InitiateLayerUpload");
    await assert.rejects(begin("app"), { code: "ECONNRESET" });
  });

  it("says its name, or that it is denied, when Q3 is switched", async () => {
    ecr.quirks.missingRepository = "name-unknown";
    const unknown =
      "404 NAME_UNKNOWN The repository with name 'none' does not exist in the registry with id '123456789012'";
    assert.equal(complaint(await begin()), unknown);
    ecr.quirks.missingRepository = "denied";
    assert.match(
      complaint(await begin()),
      /^403 DENIED User: .*ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-1:/,
    );
  });

  it("says its name on everything else", async () => {
    assert.match(complaint(await call("GET", "/v2/none/manifests/v1")), /^404 NAME_UNKNOWN/);
  });

  it("a repository that is not there is made by a push under a prefix (Q4)", async () => {
    ecr.quirks.createOnPush = ["team/"];
    assert.equal((await begin("team/new")).status, 202);
    await assert.rejects(begin("other/new"), { code: "ECONNRESET" });
    assert.ok(ecr.registry().repositories.has("team/new"));
  });

  it("belongs to one account and one region", async () => {
    const host = "210987654321.dkr.ecr.us-west-2.amazonaws.com";
    const there = { host, authorization: ecr.login("us-west-2") };
    const path = `/v2/app/manifests/v1`;
    assert.match(
      complaint(await call("GET", path, { headers: there })),
      /NAME_UNKNOWN .* id '210987654321'$/,
    );
    ecr.registry("210987654321", "us-west-2").create("app");
    assert.match(complaint(await call("GET", path, { headers: there })), /MANIFEST_UNKNOWN/);
  });
});

describe("a blob of the fake ECR", () => {
  it("a blob of the fake ECR is mounted only when that is on and a manifest of the other repository names it (Q14)", async () => {
    const loose = app().addBlob("loose");
    app().addManifest(image(), OCI, "v1");
    const named = sha256(Buffer.from("layer"));
    ecr.repository("other");
    const mount = (digest: string) =>
      call("POST", `/v2/other/blobs/uploads/?mount=${digest}&from=app`, { body: "" });
    assert.equal((await mount(named)).status, 202);
    ecr.quirks.blobMounting = true;
    const refused = await mount(loose);
    assert.equal(refused.status, 202);
    assert.ok(refused.headers.location);
    assert.equal((await mount(named)).status, 201);
    assert.ok(ecr.repository("other").blobs.has(named));
  });

  it("a blob of the fake ECR is redirected to storage, which gives ranges and refuses an Authorization header (Q15)", async () => {
    const digest = app().addBlob("0123456789");
    const { status, headers } = await call("GET", `/v2/app/blobs/${digest}`);
    assert.equal(status, 307);
    const location = String(headers.location);
    assert.notEqual(new URL(location).host, new URL(base).host);
    assert.equal(String((await ask(location)).body), "0123456789");
    const part = await ask(location, { headers: { range: "bytes=4-" } });
    assert.deepEqual(
      [part.status, String(part.body), part.headers["content-range"]],
      [206, "456789", "bytes 4-9/10"],
    );
    assert.equal((await ask(location, { headers: { range: "bytes=10-" } })).status, 416);
    const leaked = await ask(location, { headers: { authorization } });
    assert.equal(leaked.status, 400);
    assert.match(String(leaked.body), /Only one auth mechanism allowed/);
    clock += 3600 * 1000;
    assert.equal((await ask(location)).status, 403);
  });

  it("comes from the registry itself when Q15 is off", async () => {
    ecr.quirks.blobRedirect = "direct";
    const told = await call("GET", `/v2/app/blobs/${app().addBlob("bytes")}`, {
      headers: { range: "bytes=1-2" },
    });
    assert.deepEqual([told.status, String(told.body)], [206, "yt"]);
  });

  it("a blob of the fake ECR has a HEAD with its size, 404 if it is not (Q16)", async () => {
    const told = await call("HEAD", `/v2/app/blobs/${app().addBlob("bytes")}`);
    assert.deepEqual([told.status, told.headers["content-length"]], [200, "5"]);
    assert.equal((await call("HEAD", `/v2/app/blobs/${sha256(randomBytes(4))}`)).status, 404);
  });
});
