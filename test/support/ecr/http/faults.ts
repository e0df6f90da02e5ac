import type { Body } from "./wire.ts";

/** What happens to a request instead of, or on top of, the honest answer. Offsets and lengths are bytes of a body. */
export type Fault =
  /** The connection ends: before the body is read, when it is read and nothing is done, or when all is done and the answer is lost. */
  | { readonly do: "drop"; readonly when: "before-reading" | "after-reading" | "after-commit" }
  /** The connection ends after byte `at`. What was received of a request's body is treated as if the client had gone. */
  | { readonly do: "cut"; readonly side: "request" | "response"; readonly at: number }
  /** One bit of byte `at` is turned. */
  | { readonly do: "flip"; readonly side: "request" | "response"; readonly at: number }
  /** Another answer; nothing is done. `early`: before the body is read, and the connection is closed. */
  | {
      readonly do: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: Body;
      readonly early?: true;
    }
  /** The honest answer, later. */
  | { readonly do: "delay"; readonly ms: number }
  /** Silence after byte `at`: of the request's body (read no further, never answered), or of the answer's (0: headers only). */
  | { readonly do: "stall"; readonly side: "request" | "response"; readonly at: number }
  /** The answer's body comes one byte every `everyMs`. */
  | { readonly do: "trickle"; readonly everyMs: number }
  /** A body with `by` more (zero) bytes, or fewer when negative, and the Content-Length that fits it. */
  | { readonly do: "resize"; readonly by: number }
  /** Other headers on the honest answer; undefined removes one. The connection is closed after it. */
  | { readonly do: "headers"; readonly headers: Readonly<Record<string, string | undefined>> };

/** What a plan is asked with. */
export interface FaultRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly kind: string;
  /** How many requests of this kind came to this origin so far, this one included: 1, 2, ... */
  readonly count: number;
}

export type FaultPlan = (request: FaultRequest) => Fault | undefined;

/** The first `times` requests of these kinds (separated by spaces) meet `fault`; `from` skips as many as come before. */
export function failing(
  kinds: string,
  fault: Fault,
  { times = Number.POSITIVE_INFINITY, from = 1 }: { readonly times?: number; readonly from?: number } = {},
): FaultPlan {
  const names = kinds.split(" ");
  let seen = 0;
  return ({ kind }) => {
    if (!names.includes(kind)) return undefined;
    seen += 1;
    return seen >= from && seen < from + times ? fault : undefined;
  };
}

/** The first plan that has a fault for the request decides. Each plan counts every request. */
export function plans(...all: readonly FaultPlan[]): FaultPlan {
  return (request) => all.map((plan) => plan(request)).find((fault) => fault !== undefined);
}

/** Numbers from 0 to 1 that `seed` decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Q22: any request fails with `probability`, in one of the ways that peers' retry lists know. The same requests in the same order
 * meet the same faults; parallel requests may come in another order.
 */
export function flaky({
  probability,
  seed,
}: {
  readonly probability: number;
  readonly seed: number;
}): FaultPlan {
  const random = seeded(seed);
  const at = () => Math.floor(random() * 100_000);
  const ways: readonly (() => Fault)[] = [
    () => ({ do: "drop", when: "before-reading" }),
    () => ({ do: "drop", when: "after-reading" }),
    () => ({ do: "drop", when: "after-commit" }),
    () => ({ do: "cut", side: "request", at: at() }),
    () => ({ do: "cut", side: "response", at: at() }),
    () => ({ do: "flip", side: "response", at: at() }),
    () => ({ do: "resize", by: -1 - at() }),
    () => ({ do: "delay", ms: 20 }),
    ...[429, 500, 502, 503, 504].map((status) => (): Fault => ({ do: "answer", status })),
  ];
  return () => (random() < probability ? ways[Math.floor(random() * ways.length)]?.() : undefined);
}

/** The chunk that begins at `offset` of a body, with the fault's bit turned if it is in there. */
export function flip<Chunk extends Uint8Array>(
  chunk: Chunk,
  offset: number,
  fault: Fault | undefined,
): Chunk | Buffer {
  if (fault?.do !== "flip" || fault.at < offset || fault.at >= offset + chunk.length) return chunk;
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(fault.at - offset) ^ 1, fault.at - offset);
  return copy;
}
