import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { sha256 } from "../../support/ecr/content/repositories.ts";
import { FakeEcr } from "../../support/ecr/ecr.ts";
import { type Asked, ask, closing, complaint, part, type Told } from "../../support/ecr/http/client.ts";
import { privateQuirks } from "../../support/ecr/quirks.ts";

const ecr = new FakeEcr();
let base: string;
let authorization: string;

const call = (method: string, path: string, more: Asked = {}): Promise<Told> =>
  ask(new URL(path, base).href, { ...more, method, headers: { authorization, ...more.headers } });
const start = async (query = "") => {
  const { status, headers } = await call("POST", `/v2/app/blobs/uploads/${query}`, { body: "" });
  return { status, location: String(headers.location) };
};

before(async () => {
  base = await ecr.start();
  authorization = ecr.login();
  ecr.repository("app");
});
after(() => ecr.stop());
beforeEach(() => {
  Object.assign(ecr.quirks, privateQuirks());
  ecr.fault = () => undefined;
  ecr.denied.clear();
});

describe("an upload session of the fake ECR", () => {
  it("answers the status of an upload as Q11 says", async () => {
    const { location } = await start();
    await call("PATCH", location, part(0, randomBytes(10)));
    await call("PATCH", location, part(10, randomBytes(10)));
    const honest = await call("GET", location);
    assert.deepEqual([honest.status, honest.headers["range"]], [204, "0-9"]);
    for (const status of [404, 405] as const) {
      ecr.quirks.uploadStatus = status;
      assert.equal((await call("GET", location)).status, status);
    }
  });

  it("forgets a session when it expires (Q12)", async () => {
    ecr.quirks.sessionRequests = 1;
    const { location } = await start();
    await call("PATCH", location, part(0, randomBytes(10)));
    assert.match(
      complaint(await call("PATCH", location, part(10, randomBytes(10)))),
      /^404 BLOB_UPLOAD_UNKNOWN/,
    );
    const other = await start();
    ecr.sessions.expireAll();
    assert.equal((await call("PATCH", other.location, part(0, randomBytes(10)))).status, 404);
  });

  it("gives a Location in each form (Q13)", async () => {
    assert.ok((await start()).location.startsWith(`${base}/v2/app/blobs/uploads/`));
    ecr.quirks.location = "relative";
    assert.ok((await start()).location.startsWith("/v2/app/blobs/uploads/"));
    ecr.quirks.location = "other-host";
    assert.ok((await start()).location.startsWith("http://uploads.example.net/v2/app/"));
    ecr.quirks.location = "private-address";
    assert.ok((await start()).location.startsWith("http://169.254.169.254/v2/app/"));
  });

  it("wants the newest query of a Location back, byte for byte (Q13)", async () => {
    ecr.quirks.location = "query";
    const bytes = randomBytes(20);
    const { location } = await start();
    const next = String((await call("PATCH", location, part(0, bytes.subarray(0, 10)))).headers.location);
    assert.equal((await call("PATCH", location, part(10, bytes.subarray(10)))).status, 404);
    ecr.quirks.minimumPart = 0;
    const put = await call("PUT", closing(next, sha256(bytes)), part(10, bytes.subarray(10)));
    assert.equal(put.status, 201);
  });

  it("takes uploads at the other host, but not with credentials (Q13)", async () => {
    ecr.quirks.location = "other-host";
    const { pathname } = new URL((await start()).location);
    const there = { ...part(0, randomBytes(10)).headers, host: "uploads.example.net" };
    const send = (headers: Record<string, string>) =>
      ask(new URL(pathname, base).href, { method: "PATCH", body: randomBytes(10), headers });
    assert.equal((await send({ ...there, authorization })).status, 400);
    assert.equal((await send(there)).status, 201);
  });

  it("ends a session on DELETE", async () => {
    const { location } = await start();
    const open = ecr.sessions.open;
    assert.equal((await call("DELETE", location)).status, 204);
    assert.equal(ecr.sessions.open, open - 1);
  });
});
