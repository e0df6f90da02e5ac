import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Asked, ask } from "../../support/ecr/client.ts";
import { type Fault, failing, flaky, plans } from "../../support/ecr/faults.ts";
import { FakeEcr } from "../../support/ecr.ts";

const ecr = new FakeEcr({ quirks: { basicAuth: false, blobRedirect: "direct", minimumPart: 0 } });
const content = "0123456789";
let base: string;
let blob: string;

before(async () => {
  base = await ecr.start();
  blob = `/v2/app/blobs/${ecr.repository("app").addBlob(content)}`;
});
after(() => ecr.stop());
beforeEach(() => {
  ecr.fault = () => undefined;
  ecr.quirks.flaky = { probability: 0, seed: 1 };
});

const call = (method: string, path: string, more: Asked = {}) =>
  ask(new URL(path, base).href, { ...more, method });
const upload = async () => {
  const { headers } = await call("POST", "/v2/app/blobs/uploads/", { body: "" });
  return String(headers.location);
};
/** What the first GET of the blob meets. */
const get = (fault: Fault) => {
  ecr.fault = failing("get-blob", fault, { times: 1 });
  // The connection would stay open, were it not for the fault.
  return call("GET", blob, { headers: { connection: "keep-alive" } });
};
/** What the first PATCH meets, and how many bytes the session has after it. */
const patch = async (fault: Fault) => {
  const location = await upload();
  ecr.fault = failing("patch", fault, { times: 1 });
  const outcome = await call("PATCH", location, { body: content }).then(
    ({ status }) => status,
    (error: NodeJS.ErrnoException) => error.code,
  );
  const refused = await call("PATCH", location, { body: "x", headers: { "content-range": "99-99" } });
  return { outcome, kept: Number(/instead of (\d+)/.exec(String(refused.body))?.[1]) };
};
/** `silence` where nothing comes for a while after the server has come so far. */
const quiet = async (promise: Promise<unknown>, isSoFar: () => boolean) => {
  // The request ends when the server stops.
  const ended = promise.catch(() => "ended");
  while (!isSoFar()) await new Promise((done) => setTimeout(done, 5));
  return Promise.race([ended, new Promise((done) => setTimeout(done, 100, "silence"))]);
};

describe("a fault plan", () => {
  it("fires as often as it says, for the kind that it says, and then no more", async () => {
    ecr.fault = failing("get-blob head-blob", { do: "answer", status: 503 }, { from: 2, times: 2 });
    const statuses: number[] = [];
    for (const method of ["GET", "GET", "POST", "HEAD", "GET"]) {
      const path = method === "POST" ? "/v2/app/blobs/uploads/" : blob;
      statuses.push((await call(method, path, { body: "" })).status);
    }
    assert.deepEqual(statuses, [200, 503, 202, 503, 200]);
  });

  it("is told which request of its kind it is asked about", async () => {
    const counts: string[] = [];
    ecr.fault = ({ kind, count, method, path }) =>
      void counts.push(`${kind} ${count} ${method} ${path === blob}`);
    await call("GET", "/v2/");
    const [first] = counts;
    await call("GET", "/v2/");
    assert.match(`${first}, ${counts[1]}`, /^ping (\d+) GET false, ping (\d+) GET false$/);
    assert.equal(Number(counts[1]?.split(" ")[1]) - Number(first?.split(" ")[1]), 1);
  });

  it("can be several: the first with a fault decides", async () => {
    const answer = (status: number): Fault => ({ do: "answer", status });
    ecr.fault = plans(failing("ping", answer(500), { times: 1 }), failing("ping", answer(502), { times: 2 }));
    const statuses = [await call("GET", "/v2/"), await call("GET", "/v2/"), await call("GET", "/v2/")];
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [500, 502, 200],
    );
  });
});

describe("a fault on the way up", () => {
  it("drops the connection before, after reading and after the commit", async () => {
    assert.deepEqual(await patch({ do: "drop", when: "before-reading" }), { outcome: "ECONNRESET", kept: 0 });
    assert.deepEqual(await patch({ do: "drop", when: "after-reading" }), { outcome: "ECONNRESET", kept: 0 });
    assert.deepEqual(await patch({ do: "drop", when: "after-commit" }), { outcome: "ECONNRESET", kept: 10 });
  });

  it("cuts a body at its first byte, in the middle and at its last byte", async () => {
    for (const at of [0, 4, 9]) {
      assert.deepEqual(await patch({ do: "cut", side: "request", at }), { outcome: "ECONNRESET", kept: 0 });
      assert.equal(ecr.log.findLast(({ kind, status }) => kind === "patch" && status === 0)?.bodyBytes, at);
    }
  });

  it("turns a bit of what is received", async () => {
    const location = await upload();
    ecr.fault = failing("put-blob", { do: "flip", side: "request", at: 3 });
    const digest = blob.slice(blob.indexOf("sha256"));
    assert.equal((await call("PUT", `${location}?digest=${digest}`, { body: content })).status, 400);
  });

  it("answers early without reading, as a proxy's 413 does", async () => {
    assert.deepEqual(await patch({ do: "answer", status: 413, early: true }), { outcome: 413, kept: 0 });
    assert.equal(ecr.log.findLast(({ status }) => status === 413)?.bodyBytes, 0);
  });

  it("reads so many bytes and falls silent", async () => {
    const location = await upload();
    ecr.fault = failing("patch", { do: "stall", side: "request", at: 4 });
    const isRead = () => ecr.log.at(-1)?.bodyBytes === 4;
    assert.equal(await quiet(call("PATCH", location, { body: content }), isRead), "silence");
    assert.deepEqual([ecr.log.at(-1)?.status, ecr.log.at(-1)?.bodyBytes], [0, 4]);
  });
});

describe("a fault on the way down", () => {
  it("cuts an answer after so many bytes, at once", async () => {
    for (const at of [0, 4, 9]) {
      await assert.rejects(get({ do: "cut", side: "response", at }), { code: "ECONNRESET" });
      assert.deepEqual([ecr.log.at(-1)?.status, ecr.log.at(-1)?.sentBytes], [200, at]);
    }
  });

  it("turns one bit", async () => {
    assert.equal(String((await get({ do: "flip", side: "response", at: 3 })).body), "0122456789");
  });

  it("ends cleanly with fewer bytes, or with more", async () => {
    assert.equal(String((await get({ do: "resize", by: -3 })).body), "0123456");
    assert.equal(String((await get({ do: "resize", by: 2 })).body), "0123456789\0\0");
  });

  it("lies in a header, and closes the connection so that no later answer is read as a part of this one", async () => {
    const headers = { "docker-content-digest": "sha256:wrong", "accept-ranges": undefined };
    const lie = await get({ do: "headers", headers });
    assert.deepEqual(
      [String(lie.body), lie.headers["docker-content-digest"], lie.headers["accept-ranges"]],
      [content, "sha256:wrong", undefined],
    );
    await assert.rejects(get({ do: "headers", headers: { "content-length": "14" } }), { code: "ECONNRESET" });
  });

  it("says something else, with any length of body", async () => {
    const told = await get({ do: "answer", status: 502, headers: { "retry-after": "7" }, body: endless(3) });
    assert.deepEqual([told.status, told.headers["retry-after"], told.body.length], [502, "7", 3 * 65536]);
  });

  it("falls silent after the headers", async () => {
    const since = ecr.log.length;
    const isAnswered = () => ecr.log.slice(since).some(({ status }) => status === 200);
    assert.equal(await quiet(get({ do: "stall", side: "response", at: 0 }), isAnswered), "silence");
  });

  it("comes byte by byte, or late", async () => {
    const started = performance.now();
    assert.equal(String((await get({ do: "trickle", everyMs: 5 })).body), content);
    assert.ok(performance.now() - started > 45);
    assert.equal(String((await get({ do: "delay", ms: 50 })).body), content);
    assert.ok(performance.now() - started > 95);
  });
});

describe("a flaky registry (Q22)", () => {
  const outcomes = async (seed: number) => {
    const plan = flaky({ probability: 0.5, seed });
    ecr.fault = (request) => plan(request) ?? { do: "delay", ms: 0 };
    const all: unknown[] = [];
    for (let n = 0; n < 60; n += 1) {
      all.push(
        await call("GET", blob).then(
          ({ status, body }) => `${status} ${body}`,
          () => "broken",
        ),
      );
    }
    return all;
  };

  it("fails in the same way for the same seed, and about as often as it says", async () => {
    const once = await outcomes(3);
    assert.deepEqual(await outcomes(3), once);
    assert.notDeepEqual(await outcomes(4), once);
    const failures = once.filter((outcome) => outcome !== `200 ${content}`).length;
    assert.ok(failures > 10 && failures < 40, `${failures} of 60`);
    for (const way of ["broken", "429 ", "500 ", "502 ", "503 ", "504 "]) assert.ok(once.includes(way), way);
  });

  it("is flaky by its quirk alone", async () => {
    ecr.quirks.flaky = { probability: 1, seed: 5 };
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => call("GET", "/v2/")));
    assert.ok(all.some((outcome) => outcome.status === "rejected" || outcome.value.status >= 429));
  });
});

async function* endless(pieces: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < pieces; n += 1) yield Buffer.alloc(65536);
}
