import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, beforeEach, describe, it } from "node:test";
import { sha256 } from "../../support/ecr/content/repositories.ts";
import { FakeEcr } from "../../support/ecr/ecr.ts";
import { type Asked, ask, closing, complaint, part, type Told } from "../../support/ecr/http/client.ts";
import { failing } from "../../support/ecr/http/faults.ts";
import { plainQuirks, privateQuirks } from "../../support/ecr/quirks.ts";

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
    assert.equal((await call("PATCH", location, part(0, randomBytes(10)))).status, 201);
    ecr.quirks.patchStatus = 202;
    assert.equal((await call("PATCH", location, part(10, randomBytes(10)))).status, 202);
  });

  it("says a Range that stays at the first PATCH (Q6) while the bytes are kept", async () => {
    const parts = [randomBytes(5 * MiB), randomBytes(5 * MiB), randomBytes(9)] as const;
    const whole = Buffer.concat(parts);
    const { location } = await start();
    const first = await call("PATCH", location, part(0, parts[0]));
    const second = await call("PATCH", location, part(5 * MiB, parts[1]));
    assert.deepEqual([first.headers["range"], second.headers["range"]], ["0-5242879", "0-5242879"]);
    const put = await call("PUT", closing(location, sha256(whole)), part(10 * MiB, parts[2]));
    assert.equal(put.status, 201);
    assert.deepEqual(ecr.repository("app").blobs.get(sha256(whole)), whole);
  });

  it("says a Range that moves on when Q6 is off", async () => {
    ecr.quirks.staleRange = false;
    const { location } = await start();
    await call("PATCH", location, part(0, randomBytes(10)));
    const second = await call("PATCH", location, part(10, randomBytes(10)));
    assert.equal(second.headers["range"], "0-19");
  });

  it("refuses a part that begins elsewhere, PATCH and PUT, and says where it should (Q7)", async () => {
    const { location } = await start();
    await call("PATCH", location, part(0, randomBytes(10)));
    const wanted = "416 BLOB_UPLOAD_INVALID First byte of the layer part is 4 instead of 10";
    assert.equal(complaint(await call("PATCH", location, part(4, randomBytes(10)))), wanted);
    const put = await call("PUT", closing(location, sha256(randomBytes(1))), part(4, randomBytes(1)));
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
    await call("PATCH", location, part(0, randomBytes(10)));
    ecr.quirks.wrongOffset = "range";
    const refused = await call("PATCH", location, part(4, randomBytes(10)));
    assert.deepEqual([refused.status, refused.headers["range"]], [416, "0-9"]);
    ecr.quirks.wrongOffset = "append";
    assert.equal((await call("PATCH", location, part(4, randomBytes(10)))).status, 201);
  });

  it("takes a PATCH under 5 MiB and fails the closing PUT for it (Q8)", async () => {
    const bytes = randomBytes(20);
    const { location } = await start();
    assert.equal((await call("PATCH", location, part(0, bytes.subarray(0, 10)))).status, 201);
    const put = await call("PUT", closing(location, sha256(bytes)), part(10, bytes.subarray(10)));
    assert.match(complaint(put), /^400 BLOB_UPLOAD_INVALID All layer parts except the last/);
  });

  it("takes a small PATCH that is the last part: the closing PUT is empty (Q8)", async () => {
    const bytes = randomBytes(20);
    const { location } = await start();
    await call("PATCH", location, part(0, bytes));
    assert.equal((await call("PUT", closing(location, sha256(bytes)), { body: "" })).status, 201);
  });

  it("fails an empty closing PUT after two PATCHes when Q9 says so", async () => {
    for (const [mode, pattern] of [
      [500, /^$/],
      [400, /None of the provided layer digests match/],
    ] as const) {
      Object.assign(ecr.quirks, { emptyClosingPut: mode, minimumPart: 0 });
      const { location } = await start();
      await call("PATCH", location, part(0, Buffer.from("ab")));
      await call("PATCH", location, part(2, Buffer.from("cd")));
      const put = await call("PUT", closing(location, sha256(Buffer.from("abcd"))), { body: "" });
      assert.equal(put.status, mode);
      assert.match(String(put.body), pattern);
    }
  });

  it("keeps a prefix of a dropped body and goes on from there (Q10)", async () => {
    ecr.quirks.droppedBody = "random-prefix";
    const bytes = randomBytes(6 * MiB);
    const { location } = await start();
    ecr.fault = failing("patch", { do: "cut", side: "request", at: 3 * MiB }, { times: 1 });
    await assert.rejects(call("PATCH", location, part(0, bytes)));
    const refused = complaint(await call("PATCH", location, part(bytes.length, Buffer.alloc(1))));
    const offset = Number(/instead of (\d+)$/.exec(refused)?.[1]);
    assert.ok(offset > 0 && offset < 3 * MiB && offset % MiB !== 0, `kept ${offset}`);
    const put = await call("PUT", closing(location, sha256(bytes)), part(offset, bytes.subarray(offset)));
    assert.equal(put.status, 201);
  });

  it("keeps nothing of a dropped body, or ends the session, as Q10 says", async () => {
    const { location } = await start();
    const dropped = { ...part(0, randomBytes(5000)), leave: { after: 1000 } };
    await assert.rejects(call("PUT", closing(location, sha256(randomBytes(1))), dropped));
    assert.equal((await call("PATCH", location, part(0, randomBytes(10)))).status, 201);
    ecr.quirks.droppedBody = "session-dies";
    await assert.rejects(call("PATCH", location, { ...part(10, randomBytes(5000)), leave: { after: 1000 } }));
    assert.equal((await call("PATCH", location, part(10, randomBytes(10)))).status, 404);
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

  it("an upload to the fake ECR is that of any registry with plain quirks: 202, a Range that is true, small parts, a new repository", async () => {
    Object.assign(ecr.quirks, plainQuirks());
    const begun = await ask(`${base}/v2/new/blobs/uploads/`, { method: "POST", body: "" });
    const location = String(begun.headers.location);
    await ask(location, { method: "PATCH", ...part(0, Buffer.from("ab")) });
    const second = await ask(location, { method: "PATCH", ...part(2, Buffer.from("cd")) });
    assert.deepEqual([second.status, second.headers["range"]], [202, "0-3"]);
    const digest = sha256(Buffer.from("abcd"));
    assert.equal((await ask(closing(location, digest), { method: "PUT", body: "" })).status, 201);
    assert.equal(String((await ask(`${base}/v2/new/blobs/${digest}`)).body), "abcd");
  });

  it("cuts the connection of one body too many (Q23)", async () => {
    ecr.quirks.parallelBodies = 1;
    const [one, two] = [await start(), await start()];
    let leave: (value?: unknown) => void = () => {};
    const when = new Promise((done) => {
      leave = done;
    });
    const slow = call("PATCH", one.location, { ...part(0, randomBytes(5000)), leave: { after: 1000, when } });
    const ended = assert.rejects(slow);
    while (ecr.limits.bodies === 0) await new Promise((done) => setTimeout(done, 1));
    await assert.rejects(call("PATCH", two.location, part(0, randomBytes(10))), { code: "ECONNRESET" });
    leave();
    await ended;
    while (ecr.limits.bodies > 0) await new Promise((done) => setTimeout(done, 1));
    assert.equal((await call("PATCH", two.location, part(0, randomBytes(10)))).status, 201);
  });
});
