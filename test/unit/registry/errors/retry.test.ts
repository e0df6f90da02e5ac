import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LambdaPackError, type RegistryAnswer } from "../../../../src/errors.ts";
import type { BuildEvent } from "../../../../src/events.ts";
import { damaged, retryAfterMs } from "../../../../src/registry/errors/refusal.ts";
import {
  Attempts,
  attemptsFor,
  RETRY_POLICY,
  type RetryPolicy,
} from "../../../../src/registry/errors/retry.ts";
import { createThrottles, Throttle } from "../../../../src/registry/errors/throttle.ts";
import { corpus } from "../../../support/corpora.ts";
import { testPacing } from "../../../support/registry/repository.ts";

const refusal = (status: number, facts: Partial<RegistryAnswer> = {}) =>
  new LambdaPackError("REGISTRY_ANSWER", "no", { answer: { status, complaints: [], ...facts } });
const saying = (status: number, code: string) => refusal(status, { complaints: [{ code, message: "" }] });
const system = (code: string) => Object.assign(new Error(code), { code });
const isRetried = (error: unknown) => attemptsFor(error) !== undefined;

describe("what is tried again", () => {
  for (const status of [
    ...[408, 425, 429, 499, 500, 502, 503, 504, 509],
    ...[520, 521, 522, 523, 524, 525, 527, 529, 530],
  ]) {
    it(`what is tried again is ${status}`, () => assert.ok(isRetried(refusal(status))));
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
    it(`what is tried again is ${code}`, () => assert.ok(isRetried(system(code))));
  }
  for (const code of ["TOOMANYREQUESTS", "UNAVAILABLE", "UNKNOWN", "ThrottlingException", "SlowDown"]) {
    it(`what is tried again is a 400 that says ${code}`, () => assert.ok(isRetried(saying(400, code))));
  }
  it("a damaged answer is worth three attempts", () => assert.equal(attemptsFor(damaged("x")), 3));
  it("a token server that answers without a token is worth three attempts", () =>
    assert.equal(attemptsFor(refusal(200, { by: "token-server" })), 3));
  it("a host that never answered is worth four attempts, and one that did as many as patience allows", () => {
    assert.equal(attemptsFor(system("ECONNREFUSED")), 4);
    assert.equal(attemptsFor(system("ECONNREFUSED"), true), Number.POSITIVE_INFINITY);
  });
  it("what storage refuses is worth three attempts", () =>
    assert.equal(attemptsFor(refusal(403, { by: "storage" })), 3));
});

describe("a login that AWS's API could not be reached for", () => {
  const unreached = (cause: unknown) => new LambdaPackError("REGISTRY_UNREACHABLE", "x", { cause });

  it("a login that AWS's API could not be reached for is worth as many attempts as the trouble of the network behind it", () => {
    assert.equal(attemptsFor(unreached(system("ECONNRESET"))), Number.POSITIVE_INFINITY);
    assert.equal(attemptsFor(unreached(system("ECONNREFUSED"))), 4);
  });
  it("a login that AWS's API could not be reached for is not tried again if its certificate or its proxy is the trouble", () => {
    assert.ok(!isRetried(unreached(system("CERT_HAS_EXPIRED"))));
    assert.ok(!isRetried(unreached(undefined)));
  });
  it("a login that AWS's API could not be reached for is not tried again when it was before", () =>
    assert.ok(!isRetried(unreached(system("ECONNRESET")).addAttempts(5))));
});

describe("what is not tried again", () => {
  for (const status of [400, 401, 403, 404, 405, 409, 413, 416]) {
    it(`what is not tried again is ${status}`, () => assert.ok(!isRetried(refusal(status))));
  }
  it("what is not tried again is a 500 that says DENIED", () => assert.ok(!isRetried(saying(500, "DENIED"))));
  it("what is not tried again is a 404 that says UNKNOWN", () =>
    assert.ok(!isRetried(saying(404, "UNKNOWN"))));
  for (const code of ["ENOENT", "EACCES", "EISDIR", "CERT_HAS_EXPIRED"]) {
    it(`what is not tried again is ${code}`, () => assert.ok(!isRetried(system(code))));
  }
  it("an error without an answer is not attempted again", () =>
    assert.ok(!isRetried(new LambdaPackError("WRITE_FAILED", "x"))));
  it("Docker Hub's pull limit is not attempted again", () => {
    const complaints = [{ code: "TOOMANYREQUESTS", message: "You have reached your pull rate limit." }];
    assert.ok(!isRetried(refusal(429, { complaints })));
  });
  it("what is not tried again is an abort", () =>
    assert.ok(!isRetried(new DOMException("stopped", "AbortError"))));
});

interface RetryableCase {
  readonly id: string;
  readonly kind: string;
  readonly input: { readonly status: number; readonly codes: readonly string[] };
  readonly expect: { readonly retry: boolean };
}

describe("ggcr's table of temporary errors", () => {
  const cases = corpus<RetryableCase>("registry-http").cases.filter(({ kind }) => kind === "retryable");
  it("ggcr's table of temporary errors is followed", () => {
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

function attemptsWith(policy: RetryPolicy = RETRY_POLICY, random = 0.5) {
  const pacing = testPacing(random);
  const events: BuildEvent[] = [];
  const onEvent = (event: BuildEvent) => void events.push(event);
  const attempts = new Attempts("read the blob x", {
    ...{ pacing, policy, onEvent },
    throttle: new Throttle(pacing),
  });
  return { pacing, events, attempts };
}

async function failing(
  errors: readonly unknown[],
  policy: RetryPolicy = RETRY_POLICY,
  random = 0.5,
): Promise<Run> {
  const { pacing, events, attempts } = attemptsWith(policy, random);
  let tries = 0;
  const work = async () => {
    tries += 1;
    const failure = errors[Math.min(tries, errors.length) - 1];
    if (failure !== undefined) throw failure;
  };
  const error = await attempts.run(work).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { waits: pacing.waits, events, error, tries };
}

describe("the waits between attempts", () => {
  it("the wait after a 429 holds back every other request to the host too", async () => {
    const pacing = testPacing();
    const throttle = new Throttle(pacing);
    const attempts = new Attempts("read the blob x", { pacing, policy: RETRY_POLICY, throttle });
    assert.equal(attempts.policy().delayAfter(refusal(429, { retryAfterMs: 3000 }), 1), 3000);
    await throttle.enter();
    assert.equal(pacing.waits.length, 1);
  });

  it("the waits between attempts are drawn from 0 to 0.5 s, 1 s, 2 s, 4 s, 8 s and then 10 s until 55 s are over", async () => {
    const { waits } = await failing([refusal(500)]);
    assert.deepEqual(waits.slice(0, 7), [250, 500, 1000, 2000, 4000, 5000, 5000]);
    assert.ok(
      Math.abs(waits.reduce((sum, ms) => sum + ms, 0) - RETRY_POLICY.patienceMs) < 1000,
      waits.join(),
    );
  });

  for (const random of [0.001, 0.5, 0.999]) {
    it(`an outage that is shorter than the patience is survived with waits of ${random} of the longest`, async () => {
      const { pacing, attempts } = attemptsWith(RETRY_POLICY, random);
      const endsAt = pacing.now() + RETRY_POLICY.patienceMs - 2000;
      const work = async () => {
        if (pacing.now() < endsAt) throw refusal(503);
        return "done";
      };
      assert.equal(await attempts.run(work), "done");
    });
  }

  it("patience counts the time of each further attempt before its first byte is sent", async () => {
    const { pacing, attempts } = attemptsWith();
    const startedAt = pacing.now();
    const work = async () => {
      await pacing.sleep(3000); // a lookup, or the queue of a slowed host
      attempts.moved(0);
      throw refusal(503);
    };
    await assert.rejects(attempts.run(work));
    // The first attempt, the patience, and the attempt that begins at its end.
    const longest = 3000 + RETRY_POLICY.patienceMs + 3000;
    const took = pacing.now() - startedAt;
    assert.ok(took < longest + 1000, `${took} ms`);
  });

  it("a wait is no shorter than the registry asked", async () => {
    const { waits } = await failing([refusal(429, { retryAfterMs: 7000 }), undefined]);
    assert.deepEqual(waits, [7000]);
  });

  it("a long wait is reported again every 10 s, with what is left", async () => {
    const { waits, events } = await failing([refusal(429, { retryAfterMs: 45_000 }), undefined]);
    assert.deepEqual(waits, [10_000, 10_000, 10_000, 10_000, 5000]);
    const told = events.map((event) => event.type === "retrying" && event.waitMs);
    assert.deepEqual(told, [45_000, 35_000, 25_000, 15_000, 5000]);
  });

  it("a Retry-After of an hour is cut where patience ends", async () => {
    const { waits, error } = await failing([refusal(429, { retryAfterMs: 3_600_000 })]);
    assert.ok(waits.reduce((sum, ms) => sum + ms, 0) <= RETRY_POLICY.patienceMs, waits.join());
    assert.ok(error instanceof LambdaPackError && error.answer?.status === 429);
  });

  it("each wait is told with its reason", async () => {
    const { events } = await failing([saying(503, "UNAVAILABLE"), system("ECONNRESET"), undefined]);
    assert.deepEqual(events, [
      { type: "retrying", what: "read the blob x", attempt: 2, waitMs: 250, reason: "UNAVAILABLE" },
      { type: "retrying", what: "read the blob x", attempt: 3, waitMs: 500, reason: "ECONNRESET" },
    ]);
  });

  it("the last error is thrown as it is, and says how often it came", async () => {
    const last = damaged("no");
    const { error } = await failing([last]);
    assert.equal(error, last);
    assert.equal(last.attempts, 3);
    assert.match(last.message, /^no, 3 times in a row$/);
  });

  it("a failure that cannot pass is not attempted again", async () => {
    const { tries, waits, error } = await failing([refusal(403)]);
    assert.deepEqual([tries, waits, (error as Error).message], [1, [], "no"]);
  });

  it("a failure of the content that is sent is not attempted again, and keeps its identity", async () => {
    const { attempts } = attemptsWith();
    const broken = system("ECONNRESET");
    const work = async () => {
      attempts.giveUp();
      throw broken;
    };
    await assert.rejects(attempts.run(work), (error) => error === broken);
  });

  it("the count starts again after a MiB of progress", async () => {
    const { attempts, pacing } = attemptsWith();
    let round = 0;
    await attempts.run(async () => {
      round += 1;
      if (round > 20) return;
      attempts.moved(1024 * 1024);
      throw refusal(500);
    });
    assert.deepEqual([...new Set(pacing.waits)], [250]);
  });

  it("the count does not start again for less", async () => {
    const { attempts, pacing } = attemptsWith();
    const work = async () => {
      attempts.moved(1000);
      throw refusal(500);
    };
    await assert.rejects(attempts.run(work));
    assert.ok(new Set(pacing.waits).size > 5);
  });

  it("waiting stops when the signal aborts", async () => {
    const { attempts } = attemptsWith();
    const stopped = AbortSignal.abort(new Error("enough"));
    await assert.rejects(
      attempts.run(async () => Promise.reject(refusal(500)), stopped),
      /enough/,
    );
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
  const run = async <T>(throttle: Throttle, work: () => Promise<T>, signal?: AbortSignal): Promise<T> => {
    const leave = await throttle.enter(signal);
    try {
      return await work();
    } finally {
      leave(true);
    }
  };

  it("the pace of a host is free at first", async () => {
    const throttle = new Throttle(testPacing());
    let running = 0;
    const gate = deferred();
    const works = Array.from({ length: 20 }, () =>
      run(throttle, async () => {
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
    const throttle = new Throttle(pacing);
    const gate = deferred();
    const works = Array.from({ length: 8 }, () => run(throttle, () => gate.promise));
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
    const throttle = new Throttle(pacing);
    for (let round = 0; round < 5; round++) {
      throttle.slowDown(0);
      await pacing.sleep(200);
    }
    assert.equal(throttle.limit, 1);
    assert.equal(await run(throttle, async () => "done"), "done");
  });

  it("grows by one after every full round of successes", async () => {
    const throttle = new Throttle(testPacing());
    throttle.slowDown(0);
    assert.equal(throttle.limit, 1);
    const limits: number[] = [];
    for (let round = 0; round < 6; round++) {
      await run(throttle, async () => {});
      limits.push(throttle.limit);
    }
    assert.deepEqual(limits, [2, 2, 3, 3, 3, 4]);
  });

  it("a throttle lets the next request in after one was aborted during a pause", async () => {
    const throttle = new Throttle(testPacing());
    throttle.slowDown(1000);
    const stop = new AbortController();
    const stopped = throttle.enter(stop.signal);
    stop.abort(new Error("stopped"));
    await assert.rejects(stopped, { message: "stopped" });
    assert.equal(await run(throttle, async () => "done"), "done");
  });

  it("a throttle lets the next request in after one was aborted in the queue", async () => {
    const throttle = new Throttle(testPacing());
    throttle.slowDown(0);
    const leave = await throttle.enter();
    const stop = new AbortController();
    const stopped = throttle.enter(stop.signal);
    const next = run(throttle, async () => "done");
    stop.abort(new Error("stopped"));
    await assert.rejects(stopped, { message: "stopped" });
    leave(false);
    assert.equal(await next, "done");
  });

  it("the pace of a host is shared by the repositories of one run, and not with another run", () => {
    const pacing = testPacing();
    const [first, second] = [createThrottles(pacing), createThrottles(pacing)];
    first("registry.test").slowDown(0);
    assert.equal(first("registry.test").limit, 1);
    assert.equal(first("other.test").limit, Number.POSITIVE_INFINITY);
    assert.equal(second("registry.test").limit, Number.POSITIVE_INFINITY);
  });

  it("lets nobody start while the host wants a pause", async () => {
    const pacing = testPacing();
    const throttle = new Throttle(pacing);
    throttle.slowDown(5000);
    await run(throttle, async () => {});
    assert.ok((pacing.waits[0] ?? 0) > 4900);
  });

  it("holds those that wait in line until there is room, and lets go of the one that is stopped", async () => {
    const throttle = new Throttle(testPacing());
    throttle.slowDown(0);
    const gate = deferred();
    const first = run(throttle, () => gate.promise);
    const stop = new AbortController();
    const second = run(throttle, async () => "second", stop.signal);
    const third = run(throttle, async () => "third");
    stop.abort(new Error("enough"));
    await assert.rejects(second, /enough/);
    gate.resolve();
    await first;
    assert.equal(await third, "third");
  });
});
