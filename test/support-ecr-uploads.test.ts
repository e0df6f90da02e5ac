import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Asked, ask, complaint, type Told } from "./support/ecr/client.ts";
import { privateQuirks } from "./support/ecr/quirks.ts";
import { sha256 } from "./support/ecr/repositories.ts";
import { FakeEcr } from "./support/ecr.ts";

const MiB = 1024 * 1024;
const ecr = new FakeEcr({ seed: 7 });
let base: string;
let authorization: string;

const call = (method: string, path: string, more: Asked = {}): Promise<Told> =>
  ask(new URL(path, base).href, { ...more, method, headers: { authorization, ...more.headers } });
const start = async (query = "") => {
  const { status, headers } = await call("POST", `/v2/app/blobs/uploads/${query}`, { body: "" });
  return { status, location: String(headers.location) };
};
const ranged = (first: number, body: Uint8Array): Asked => ({
  body,
  headers: { "content-range": `${first}-${first + body.length - 1}` },
});
const closing = (location: string, digest: string) => {
  const url = new URL(location, base);
  url.searchParams.set("digest", digest);
  return url.href;
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

describe("an upload to the fake ECR", () => {
  it("takes a blob in POST and one PUT, and keeps its bytes", async () => {
    const bytes = randomBytes(1000);
    const { status, location } = await start();
    assert.equal(status, 202);
    const put = await call("PUT", closing(location, sha256(bytes)), { body: bytes });
    assert.equal(put.status, 201);
    assert.equal(put.headers["docker-content-digest"], sha256(bytes));
    assert.deepEqual(ecr.repository("app").blobs.get(sha256(bytes)), bytes);
  });

  it("answers a PATCH with 201 (Q5), and 202 when switched", async () => {
    const { location } = await start();
    assert.equal((await call("PATCH", location, ranged(0, randomBytes(10)))).status, 201);
    ecr.quirks.patchStatus = 202;
    assert.equal((await call("PATCH", location, ranged(10, randomBytes(10)))).status, 202);
  });

  it("says a Range that stays at the first PATCH (Q6) while the bytes are kept", async () => {
    const parts = [randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(9)] as const;
    const whole = Buffer.concat(parts);
    const { location } = await start();
    const first = await call("PATCH", location, ranged(0, parts[0]));
    const second = await call("PATCH", location, ranged(5 * MiB, parts[1]));
    assert.deepEqual([first.headers["range"], second.headers["range"]], ["0-5242879", "0-5242879"]);
    const put = await call("PUT", closing(location, sha256(whole)), ranged(10 * MiB, parts[2]));
    assert.equal(put.status, 201);
    assert.deepEqual(ecr.repository("app").blobs.get(sha256(whole)), whole);
  });

  it("says a Range that moves on when Q6 is off", async () => {
    ecr.quirks.staleRange = false;
    const { location } = await start();
    await call("PATCH", location, ranged(0, randomBytes(10)));
    const second = await call("PATCH", location, ranged(10, randomBytes(10)));
    assert.equal(second.headers["range"], "0-19");
  });

  it("refuses a part that begins elsewhere, PATCH and PUT, and says where it should (Q7)", async () => {
    const { location } = await start();
    await call("PATCH", location, ranged(0, randomBytes(10)));
    const wanted = "416 BLOB_UPLOAD_INVALID First byte of the layer part is 4 instead of 10";
    assert.equal(complaint(await call("PATCH", location, ranged(4, randomBytes(10)))), wanted);
    const put = await call("PUT", closing(location, sha256(randomBytes(1))), ranged(4, randomBytes(1)));
    assert.equal(complaint(put), wanted);
    assert.equal(put.headers["range"], undefined);
  });

  it("takes a body without Content-Range for one that begins at 0 (Q7)", async () => {
    const { location } = await start();
    await call("PATCH", location, { body: randomBytes(10) });
    const again = await call("PATCH", location, { body: randomBytes(10) });
    assert.match(complaint(again), /^416 .* is 0 instead of 10$/);
  });

  it("refuses a wrong offset with Range, or not at all, when Q7 is switched", async () => {
    const { location } = await start();
    await call("PATCH", location, ranged(0, randomBytes(10)));
    ecr.quirks.wrongOffset = "range";
    const refused = await call("PATCH", location, ranged(4, randomBytes(10)));
    assert.deepEqual([refused.status, refused.headers["range"]], [416, "0-9"]);
    ecr.quirks.wrongOffset = "append";
    assert.equal((await call("PATCH", location, ranged(4, randomBytes(10)))).status, 201);
  });

  it("takes a PATCH under 5 MiB and fails the closing PUT for it (Q8)", async () => {
    const bytes = randomBytes(20);
    const { location } = await start();
    assert.equal((await call("PATCH", location, ranged(0, bytes.subarray(0, 10)))).status, 201);
    const put = await call("PUT", closing(location, sha256(bytes)), ranged(10, bytes.subarray(10)));
    assert.match(complaint(put), /^400 BLOB_UPLOAD_INVALID All layer parts except the last/);
  });

  it("takes a small PATCH that is the last part: the closing PUT is empty (Q8)", async () => {
    const bytes = randomBytes(20);
    const { location } = await start();
    await call("PATCH", location, ranged(0, bytes));
    assert.equal((await call("PUT", closing(location, sha256(bytes)), { body: "" })).status, 201);
  });

  it("fails an empty closing PUT after two PATCHes when Q9 says so", async () => {
    for (const [mode, pattern] of [
      [500, /^$/],
      [400, /None of the provided layer digests match/],
    ] as const) {
      Object.assign(ecr.quirks, { emptyClosingPut: mode, minimumPart: 0 });
      const { location } = await start();
      await call("PATCH", location, ranged(0, Buffer.from("ab")));
      await call("PATCH", location, ranged(2, Buffer.from("cd")));
      const put = await call("PUT", closing(location, sha256(Buffer.from("abcd"))), { body: "" });
      assert.equal(put.status, mode);
      assert.match(String(put.body), pattern);
    }
  });

  it("keeps a prefix of a dropped body and goes on from there (Q10)", async () => {
    ecr.quirks.droppedBody = "random-prefix";
    const bytes = randomBytes(6 * MiB);
    const { location } = await start();
    await assert.rejects(call("PATCH", location, { ...ranged(0, bytes), leaveAfter: 3 * MiB }));
    const refused = complaint(await call("PATCH", location, ranged(bytes.length, Buffer.alloc(1))));
    const offset = Number(/instead of (\d+)$/.exec(refused)?.[1]);
    assert.ok(offset > 0 && offset < 3 * MiB && offset % MiB !== 0, `kept ${offset}`);
    const put = await call("PUT", closing(location, sha256(bytes)), ranged(offset, bytes.subarray(offset)));
    assert.equal(put.status, 201);
  });

  it("keeps nothing of a dropped body, or ends the session, as Q10 says", async () => {
    const { location } = await start();
    const dropped = { ...ranged(0, randomBytes(5000)), leaveAfter: 1000 };
    await assert.rejects(call("PUT", closing(location, sha256(randomBytes(1))), dropped));
    assert.equal((await call("PATCH", location, ranged(0, randomBytes(10)))).status, 201);
    ecr.quirks.droppedBody = "session-dies";
    await assert.rejects(call("PATCH", location, { ...ranged(10, randomBytes(5000)), leaveAfter: 1000 }));
    assert.equal((await call("PATCH", location, ranged(10, randomBytes(10)))).status, 404);
  });

  it("answers the status of an upload as Q11 says", async () => {
    const { location } = await start();
    await call("PATCH", location, ranged(0, randomBytes(10)));
    await call("PATCH", location, ranged(10, randomBytes(10)));
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
    await call("PATCH", location, ranged(0, randomBytes(10)));
    assert.match(
      complaint(await call("PATCH", location, ranged(10, randomBytes(10)))),
      /^404 BLOB_UPLOAD_UNKNOWN/,
    );
    const other = await start();
    ecr.sessions.expireAll();
    assert.equal((await call("PATCH", other.location, ranged(0, randomBytes(10)))).status, 404);
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
    const next = String((await call("PATCH", location, ranged(0, bytes.subarray(0, 10)))).headers.location);
    assert.equal((await call("PATCH", location, ranged(10, bytes.subarray(10)))).status, 404);
    ecr.quirks.minimumPart = 0;
    const put = await call("PUT", closing(next, sha256(bytes)), ranged(10, bytes.subarray(10)));
    assert.equal(put.status, 201);
  });

  it("takes uploads at the other host, but not with credentials (Q13)", async () => {
    ecr.quirks.location = "other-host";
    const { pathname } = new URL((await start()).location);
    const there = { ...ranged(0, randomBytes(10)).headers, host: "uploads.example.net" };
    const send = (headers: Record<string, string>) =>
      ask(new URL(pathname, base).href, { method: "PATCH", body: randomBytes(10), headers });
    assert.equal((await send({ ...there, authorization })).status, 400);
    assert.equal((await send(there)).status, 201);
  });

  it("refuses a wrong digest, a wrong length and an upload without bytes", async () => {
    const digest = sha256(Buffer.from("other"));
    const put = await call("PUT", closing((await start()).location, digest), { body: "this" });
    assert.match(complaint(put), /^400 BLOB_UPLOAD_INVALID None of the provided layer digests match/);
    const short = { body: "1234", headers: { "content-range": "0-9" } };
    assert.match(complaint(await call("PATCH", (await start()).location, short)), /^400 SIZE_INVALID/);
    const empty = await call("PUT", closing((await start()).location, digest), { body: "" });
    assert.match(complaint(empty), /does not have any parts/);
  });

  it("ends a session on DELETE", async () => {
    const { location } = await start();
    const open = ecr.sessions.open;
    assert.equal((await call("DELETE", location)).status, 204);
    assert.equal(ecr.sessions.open, open - 1);
  });

  it("cuts the connection of one body too many (Q23)", async () => {
    ecr.quirks.parallelBodies = 1;
    const [one, two] = [await start(), await start()];
    const slow = call("PATCH", one.location, { ...ranged(0, randomBytes(5000)), leaveAfter: 1000 });
    const ended = assert.rejects(slow);
    await new Promise((done) => setTimeout(done, 20));
    await assert.rejects(call("PATCH", two.location, ranged(0, randomBytes(10))), { code: "ECONNRESET" });
    await ended;
    assert.equal((await call("PATCH", two.location, ranged(0, randomBytes(10)))).status, 201);
  });
});
