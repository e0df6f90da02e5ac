import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LambdaPackError, RegistryError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import {
  DamagedAnswer,
  Refusal,
  type RefusalFacts,
  retryAfterMs,
} from "../../../src/registry/errors/error.ts";
import {
  attemptsFor,
  createRetries,
  RETRY_POLICY,
  type RetryPolicy,
} from "../../../src/registry/errors/retry.ts";
import { createThrottle } from "../../../src/registry/errors/throttle.ts";
import { corpus } from "../../support/corpora.ts";
import { testPacing } from "../../support/repository.ts";

const refusal = (status: number, facts: Partial<RefusalFacts> = {}) =>
  new Refusal("REGISTRY_ANSWER", "no", undefined, { status, complaints: [], ...facts });
const saying = (status: number, code: string) => refusal(status, { complaints: [{ code, message: "" }] });
const system = (code: string) => Object.assign(new Error(code), { code });
const isRetried = (error: unknown) => attemptsFor(error, RETRY_POLICY) !== undefined;

describe("what is tried again", () => {
  for (const status of [408, 425, 429, 499, 500, 502, 503, 504, 522]) {
    it(`is ${status}`, () => assert.ok(isRetried(refusal(status))));
  }
  for (const code of [
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "ECONNREFUSED",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "EAI_AGAIN",
    "ENOTFOUND",
    "ERR_STREAM_PREMATURE_CLOSE",
    "HPE_INVALID_CONSTANT",
  ]) {
    it(`is ${code}`, () => assert.ok(isRetried(system(code))));
  }
  for (const code of ["TOOMANYREQUESTS", "UNAVAILABLE", "UNKNOWN", "ThrottlingException", "SlowDown"]) {
    it(`is a 400 that says ${code}`, () => assert.ok(isRetried(saying(400, code))));
  }
  it("is a damaged answer, three times in all", () =>
    assert.equal(attemptsFor(new DamagedAnswer("x"), RETRY_POLICY), 3));
  it("is a host that is not there, four times in all", () =>
    assert.equal(attemptsFor(system("ECONNREFUSED"), RETRY_POLICY), 4));
  it("is what storage elsewhere refuses, three times in all", () =>
    assert.equal(attemptsFor(refusal(403, { elsewhere: "s3" }), RETRY_POLICY), 3));
});

describe("what is not tried again", () => {
  for (const status of [400, 401, 403, 404, 405, 409, 413, 416]) {
    it(`is ${status}`, () => assert.ok(!isRetried(refusal(status))));
  }
  it("is a 500 that says DENIED", () => assert.ok(!isRetried(saying(500, "DENIED"))));
  it("is a 404 that says UNKNOWN", () => assert.ok(!isRetried(saying(404, "UNKNOWN"))));
  for (const code of ["ENOENT", "EACCES", "EISDIR", "CERT_HAS_EXPIRED"]) {
    it(`is ${code}`, () => assert.ok(!isRetried(system(code))));
  }
  it("is an error of ours", () => assert.ok(!isRetried(new LambdaPackError("CONTENT_MISMATCH", "x"))));
  it("is an abort", () => assert.ok(!isRetried(new DOMException("stopped", "AbortError"))));
});

interface RetryableCase {
  readonly id: string;
  readonly kind: string;
  readonly input: { readonly status: number; readonly codes: readonly string[] };
  readonly expect: { readonly retry: boolean };
}

describe("ggcr's table of temporary errors", () => {
  const cases = corpus<RetryableCase>("registry-http").cases.filter(({ kind }) => kind === "retryable");
  it("is followed", () => {
    for (const { id, input, expect } of cases) {
      // An invalid upload is not repeated as it is: the upload starts a new session (registry-upload.test.ts).
      if (input.codes.includes("BLOB_UPLOAD_INVALID")) continue;
      const error = refusal(input.status, { complaints: input.codes.map((code) => ({ code, message: "" })) });
      assert.equal(isRetried(error), expect.retry, id);
    }
  });
});

/** Go's errors, as Node words them. */
const IN_NODE: Readonly<Record<string, Error>> = {
  "net timeout": system("ETIMEDOUT"),
  "response cut short (io.ErrUnexpectedEOF)": system("ECONNRESET"),
  "connection closed (io.EOF)": system("ECONNRESET"),
  "caller cancelled": new DOMException("stopped", "AbortError"),
  "caller's deadline passed": new DOMException("stopped", "TimeoutError"),
};

interface TransportCase {
  readonly kind: string;
  readonly input: string;
  readonly expect: { readonly retry: boolean };
}

describe("containerd's table of errors of the network", () => {
  const table = corpus<TransportCase>("registry-http").cases;
  const cases = table.filter(({ kind }) => kind === "transport-error-retryable");
  for (const { input, expect } of cases) {
    it(`${input} is ${expect.retry ? "" : "not "}tried again`, () =>
      assert.equal(isRetried(IN_NODE[input]), expect.retry));
  }
});

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  for (const [header, ms] of [
    ["3", 3000],
    [" 10 ", 10_000],
    ["0", 0],
    ["Thu, 01 Jan 2026 00:00:07 GMT", 7000],
    ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    [undefined, undefined],
  ] as const) {
    it(`${JSON.stringify(header)} is ${ms} ms`, () => assert.equal(retryAfterMs(header, now), ms));
  }
});

interface Run {
  readonly waits: readonly number[];
  readonly events: readonly BuildEvent[];
  readonly error: unknown;
  readonly tries: number;
}

async function failing(
  errors: readonly unknown[],
  policy: RetryPolicy = RETRY_POLICY,
  random = 0.5,
): Promise<Run> {
  const pacing = testPacing(random);
  const events: BuildEvent[] = [];
  const retries = createRetries({
    pacing,
    policy,
    throttle: createThrottle(pacing),
    onEvent: (event) => events.push(event),
  });
  let tries = 0;
  const error = await retries
    .run("read the blob x", async () => {
      tries += 1;
      const failure = errors[Math.min(tries, errors.length) - 1];
      if (failure !== undefined) throw failure;
    })
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  return { waits: pacing.waits, events, error, tries };
}

describe("the waits between tries", () => {
  it("are drawn from 0 to 0.5 s, 1 s, 2 s, 4 s, 8 s, and then it is given up", async () => {
    const { waits, tries } = await failing([refusal(500)]);
    assert.deepEqual(waits, [250, 500, 1000, 2000, 4000]);
    assert.equal(tries, 6);
  });

  it("are never longer than 30 s", async () => {
    const { waits } = await failing([refusal(500)], { ...RETRY_POLICY, attempts: 9, patienceMs: 1e9 }, 0.999);
    assert.ok(waits.every((ms) => ms <= 30_000));
  });

  it("are no shorter than the registry asked", async () => {
    const { waits } = await failing([refusal(429, { retryAfterMs: 7000 }), undefined]);
    assert.deepEqual(waits, [7000]);
  });

  it("are told again after 20 s of silence, with what is left", async () => {
    const { waits, events } = await failing([refusal(429, { retryAfterMs: 45_000 }), undefined]);
    assert.deepEqual(waits, [20_000, 20_000, 5000]);
    const told = events.map((event) => event.type === "retrying" && event.waitMs);
    assert.deepEqual(told, [45_000, 25_000, 5000]);
  });

  it("are cut where patience ends, whatever the registry asks", async () => {
    const { waits, error } = await failing([refusal(429, { retryAfterMs: 3_600_000 })]);
    assert.ok(waits.reduce((sum, ms) => sum + ms, 0) <= 60_000, waits.join());
    assert.ok(error instanceof RegistryError);
  });

  it("are told, each with its reason", async () => {
    const { events } = await failing([saying(503, "UNAVAILABLE"), system("ECONNRESET"), undefined]);
    assert.deepEqual(events, [
      { type: "retrying", what: "read the blob x", attempt: 2, waitMs: 250, reason: "UNAVAILABLE" },
      { type: "retrying", what: "read the blob x", attempt: 3, waitMs: 500, reason: "ECONNRESET" },
    ]);
  });

  it("end with the last error, which says how often it came", async () => {
    const { error } = await failing([refusal(500)]);
    assert.match(String(error), /no, 6 times in a row/);
  });

  it("are not spent on what cannot pass", async () => {
    const { tries, waits, error } = await failing([refusal(403)]);
    assert.deepEqual([tries, waits, (error as Error).message], [1, [], "no"]);
  });

  it("come to an end for the whole repository", async () => {
    const pacing = testPacing();
    const policy = { ...RETRY_POLICY, retries: 3 };
    const retries = createRetries({ pacing, policy, throttle: createThrottle(pacing) });
    const run = () => retries.run("x", async () => Promise.reject(refusal(500)));
    await assert.rejects(run());
    await assert.rejects(run());
    assert.equal(pacing.waits.length, 3);
  });

  it("start from the beginning after a MiB of progress", async () => {
    const pacing = testPacing();
    const tries = createRetries({ pacing, policy: RETRY_POLICY, throttle: createThrottle(pacing) }).tries(
      "x",
    );
    for (let round = 0; round < 20; round++) {
      await tries.failed(refusal(500));
      tries.moved(1024 * 1024);
    }
    assert.deepEqual([...new Set(pacing.waits)], [250]);
  });

  it("do not start from the beginning for less", async () => {
    const pacing = testPacing();
    const tries = createRetries({ pacing, policy: RETRY_POLICY, throttle: createThrottle(pacing) }).tries(
      "x",
    );
    const fail = async () => {
      for (;;) {
        await tries.failed(refusal(500));
        tries.moved(1000);
      }
    };
    await assert.rejects(fail());
    assert.equal(pacing.waits.length, 5);
  });

  it("stop when the signal aborts", async () => {
    const pacing = testPacing();
    const tries = createRetries({ pacing, policy: RETRY_POLICY, throttle: createThrottle(pacing) }).tries(
      "x",
    );
    await assert.rejects(tries.failed(refusal(500), AbortSignal.abort(new Error("enough"))), /enough/);
  });
});

describe("the pace of a host", () => {
  const deferred = () => {
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    return { promise, resolve };
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it("is free at first", async () => {
    const throttle = createThrottle(testPacing());
    let running = 0;
    const gate = deferred();
    const works = Array.from({ length: 20 }, () =>
      throttle.run(async () => {
        running += 1;
        await gate.promise;
      }),
    );
    await settle();
    assert.equal(running, 20);
    gate.resolve();
    await Promise.all(works);
  });

  it("halves when the host asks for less, and again for the next time, but once for answers that came together", async () => {
    const pacing = testPacing();
    const throttle = createThrottle(pacing);
    const gate = deferred();
    const works = Array.from({ length: 8 }, () => throttle.run(() => gate.promise));
    await settle();
    throttle.slowDown(0);
    throttle.slowDown(0);
    assert.equal(throttle.limit, 4);
    await pacing.sleep(200);
    throttle.slowDown(0);
    assert.equal(throttle.limit, 2);
    gate.resolve();
    await Promise.all(works);
  });

  it("never falls below one at a time", async () => {
    const pacing = testPacing();
    const throttle = createThrottle(pacing);
    for (let round = 0; round < 5; round++) {
      throttle.slowDown(0);
      await pacing.sleep(200);
    }
    assert.equal(throttle.limit, 1);
    assert.equal(await throttle.run(async () => "done"), "done");
  });

  it("grows by one after every full round of successes", async () => {
    const throttle = createThrottle(testPacing());
    throttle.slowDown(0);
    assert.equal(throttle.limit, 1);
    const limits: number[] = [];
    for (let round = 0; round < 6; round++) {
      await throttle.run(async () => {});
      limits.push(throttle.limit);
    }
    assert.deepEqual(limits, [2, 2, 3, 3, 3, 4]);
  });

  it("lets nobody start while the host wants a pause", async () => {
    const pacing = testPacing();
    const throttle = createThrottle(pacing);
    throttle.slowDown(5000);
    await throttle.run(async () => {});
    assert.ok((pacing.waits[0] ?? 0) > 4900);
  });

  it("holds those that wait in line until there is room, and lets go of the one that is stopped", async () => {
    const throttle = createThrottle(testPacing());
    throttle.slowDown(0);
    const gate = deferred();
    const first = throttle.run(() => gate.promise);
    const stop = new AbortController();
    const second = throttle.run(async () => "second", stop.signal);
    const third = throttle.run(async () => "third");
    stop.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    gate.resolve();
    await first;
    assert.equal(await third, "third");
  });
});
