import assert from "node:assert/strict";
import { getMaxListeners, setMaxListeners } from "node:events";
import { describe, it } from "node:test";
import { abortable, derivedSignal, onAbort } from "../../../src/async/abortable.ts";
import { allOrAbort, mapConcurrent } from "../../../src/async/concurrency.ts";
import type { Pacing } from "../../../src/async/retry.ts";
import { type Retry, retry } from "../../../src/async/retry.ts";
import { createSingleFlight, loadOnce, once } from "../../../src/async/single-flight.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new AbortController().signal;

describe("mapConcurrent", () => {
  it("mapConcurrent has at most `limit` items under way and returns results in order", async () => {
    let under = 0;
    let most = 0;
    const results = await mapConcurrent([1, 2, 3, 4, 5, 6, 7], { limit: 3 }, async (item) => {
      under += 1;
      most = Math.max(most, under);
      for (let waits = 8 - item; waits > 0; waits -= 1) await turn();
      under -= 1;
      return item * 10;
    });
    assert.deepEqual([most, results], [3, [10, 20, 30, 40, 50, 60, 70]]);
  });

  it("mapConcurrent begins no item after a failure and waits for those under way", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = mapConcurrent([1, 2, 3, 4, 5], { limit: 2 }, async (item) => {
      begun.push(item);
      if (item === 1) throw new Error("one");
      for (let waits = 5; waits > 0; waits -= 1) await turn();
      ended.push(item);
    });
    await assert.rejects(work, /^Error: one$/);
    assert.deepEqual([begun, ended], [[1, 2], [2]]);
  });

  it("mapConcurrent aborts the signal of the items under way when one fails", async () => {
    const reasons: unknown[] = [];
    const work = mapConcurrent([1, 2], { limit: 2 }, async (item, signal) => {
      if (item === 1) throw new Error("one");
      while (!signal.aborted) await turn();
      reasons.push(String(signal.reason));
    });
    await assert.rejects(work, /^Error: one$/);
    assert.deepEqual(reasons, ["Error: one"]);
  });

  it("mapConcurrent begins nothing when its signal has aborted", async () => {
    const begun: number[] = [];
    const signal = AbortSignal.abort(new Error("stopped"));
    const work = mapConcurrent([1, 2], { limit: 1, signal }, async (item) => begun.push(item));
    await assert.rejects(work, /^Error: stopped$/);
    assert.deepEqual(begun, []);
  });

  it("mapConcurrent of no items is an empty array", async () => {
    assert.deepEqual(await mapConcurrent([], { limit: 4 }, async () => 1), []);
  });
});

describe("allOrAbort", () => {
  it("allOrAbort returns the results of all tasks in their order", async () => {
    const results = await allOrAbort(never(), () => [turn().then(() => 1), Promise.resolve("two")]);
    assert.deepEqual(results, [1, "two"]);
  });

  it("allOrAbort aborts the other tasks at the first failure and waits until they have ended", async () => {
    let ended = false;
    const work = allOrAbort(never(), (signal) => [
      Promise.reject(new Error("first")),
      (async () => {
        while (!signal.aborted) await turn();
        await turn();
        ended = true;
      })(),
    ]);
    await assert.rejects(work, /^Error: first$/);
    assert.equal(ended, true);
  });
});

describe("an abort signal", () => {
  it("derivedSignal takes any number of listeners and leaves the caller's signal its limit", async () => {
    const warned: (EventTarget | undefined)[] = [];
    const note = (warning: Error & { readonly target?: EventTarget }) => warned.push(warning.target);
    process.on("warning", note);
    const { signal } = new AbortController();
    setMaxListeners(7, signal);
    const derived = derivedSignal(signal);
    for (let count = 0; count < 20; count++) onAbort(derived, () => undefined);
    await turn();
    process.off("warning", note);
    assert.deepEqual(warned, []);
    assert.equal(getMaxListeners(signal), 7);
  });

  it("onAbort calls at once when the signal has aborted, and never after its release", () => {
    const calls: string[] = [];
    onAbort(AbortSignal.abort(), () => calls.push("at once"));
    const controller = new AbortController();
    onAbort(controller.signal, () => calls.push("released"))();
    controller.abort();
    assert.deepEqual(calls, ["at once"]);
  });

  it("abortable rejects with the signal's reason while the work goes on", async () => {
    const controller = new AbortController();
    let ended = false;
    const work = turn().then(() => {
      ended = true;
    });
    const raced = abortable(work, controller.signal);
    controller.abort(new Error("stopped"));
    await assert.rejects(raced, /^Error: stopped$/);
    await work;
    assert.equal(ended, true);
  });
});

describe("a single flight", () => {
  it("a single flight runs once for all callers of one key, and again after it has ended", async () => {
    const flight = createSingleFlight<number>();
    let runs = 0;
    const work = async () => {
      await turn();
      return ++runs;
    };
    assert.deepEqual(await Promise.all([flight("a", work), flight("a", work), flight("b", work)]), [1, 1, 2]);
    assert.equal(await flight("a", work), 3);
  });

  it("a single flight gives its error to all callers", async () => {
    const flight = createSingleFlight<void>();
    const fail = async () => {
      await turn();
      throw new Error("no");
    };
    const results = await Promise.allSettled([flight("a", fail), flight("a", fail)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["rejected", "rejected"],
    );
  });

  it("a caller that aborts leaves a single flight, and the others still get the result", async () => {
    const flight = createSingleFlight<string>();
    const controller = new AbortController();
    const first = flight("a", () => turn().then(() => "done"));
    const second = flight("a", async () => "unused", controller.signal);
    controller.abort(new Error("mine"));
    await assert.rejects(second, /^Error: mine$/);
    assert.equal(await first, "done");
  });

  it("a waiting caller starts the work again when the caller that started it gave it up", async () => {
    const flight = createSingleFlight<string>();
    const controller = new AbortController();
    const first = flight(
      "a",
      async () => {
        while (!controller.signal.aborted) await turn();
        throw controller.signal.reason;
      },
      controller.signal,
    );
    const second = flight("a", async () => "second");
    controller.abort(new Error("given up"));
    await assert.rejects(first, /^Error: given up$/);
    assert.equal(await second, "second");
  });

  it("once loads at the first call and never again", async () => {
    let loads = 0;
    const load = once(async () => ++loads);
    assert.equal(loads, 0);
    assert.deepEqual(await Promise.all([load(), load()]), [1, 1]);
  });
});

describe("a cache of promises", () => {
  it("loadOnce loads once for all callers of one key, and again after a failure", async () => {
    const promises = new Map<string, Promise<number>>();
    let loads = 0;
    const load = async () => {
      loads += 1;
      if (loads === 1) throw new Error("the first fails");
      return loads;
    };
    const first = [loadOnce(promises, "key", load), loadOnce(promises, "key", load)];
    for (const each of first) await assert.rejects(each, { message: "the first fails" });
    assert.deepEqual([await loadOnce(promises, "key", load), await loadOnce(promises, "key", load)], [2, 2]);
  });
});

describe("retry", () => {
  const slept: number[] = [];
  const pacing: Pacing = {
    now: () => 0,
    random: () => 0,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
    },
  };

  it("retry waits as the policy says and reports each retry before its wait", async () => {
    slept.length = 0;
    const retries: Retry[] = [];
    const work = async (attempt: number) => {
      if (attempt < 3) throw new Error(`attempt ${attempt}`);
      return attempt;
    };
    const delayAfter = (_: unknown, attempt: number) => attempt * 100;
    assert.equal(await retry(work, { pacing, delayAfter, onRetry: (one) => retries.push(one) }), 3);
    assert.deepEqual(slept, [100, 200]);
    assert.deepEqual(
      retries.map(({ attempt, waitMs, error }) => [attempt, waitMs, String(error)]),
      [
        [2, 100, "Error: attempt 1"],
        [3, 200, "Error: attempt 2"],
      ],
    );
  });

  it("retry throws the last error itself, so that its class and code survive", async () => {
    class Special extends Error {}
    const error = new Special("again");
    const work = async () => {
      throw error;
    };
    const delayAfter = (_: unknown, attempt: number) => (attempt < 3 ? 0 : undefined);
    await assert.rejects(retry(work, { pacing, delayAfter }), (thrown) => thrown === error);
  });

  it("retry stops with the signal's reason instead of trying again", async () => {
    const controller = new AbortController();
    let attempts = 0;
    const work = async () => {
      attempts += 1;
      controller.abort(new Error("stopped"));
      throw new Error("failed");
    };
    const policy = { pacing, signal: controller.signal, delayAfter: () => 0 };
    await assert.rejects(retry(work, policy), /^Error: stopped$/);
    assert.equal(attempts, 1);
  });
});
