import { ANONYMOUS, bearerOf } from "./auth.ts";
import { type Exchange, problem, type Reply } from "./http/wire.ts";
import { ACTIONS } from "./routes.ts";
import type { EcrState } from "./state.ts";

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** Q21, Q23, Q24: what a registry has not enough of. */
export class Limits {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();
  /** Bodies that are being received now. */
  bodies = 0;
  /** The most bodies that were received at once. */
  mostBodies = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The 429 of a request that came too fast (no Retry-After: containerd#10447). */
  throttled(state: EcrState, exchange: Exchange): Reply | undefined {
    const action = ACTIONS[exchange.kind];
    const rate = action && state.quirks.throttle[action];
    if (action && rate !== undefined && !this.#take(action, rate)) return tooMany();
    const isPull = state.mode === "public" && exchange.kind === "get-manifest";
    const isAnonymous = state.tokens.scopeOf(bearerOf(exchange.headers.authorization)) === ANONYMOUS;
    const isFree = !Number.isFinite(state.quirks.anonymousPulls);
    if (!isPull || !isAnonymous || isFree) return undefined;
    return this.#take("anonymous pulls", state.quirks.anonymousPulls) ? undefined : tooMany();
  }

  /** Runs `receive`, unless as many as `limit` are running: then `otherwise`. */
  async body<T>(limit: number, receive: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.bodies >= limit) return otherwise;
    this.bodies += 1;
    this.mostBodies = Math.max(this.mostBodies, this.bodies);
    try {
      return await receive();
    } finally {
      this.bodies -= 1;
    }
  }

  /** A bucket holds one second's worth. */
  #take(name: string, rate: number): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(name) ?? { tokens: rate, filledAt: now };
    bucket.tokens = Math.min(rate, bucket.tokens + ((now - bucket.filledAt) / 1000) * rate);
    bucket.filledAt = now;
    this.#buckets.set(name, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

function tooMany(): Reply {
  return problem(429, "TOOMANYREQUESTS", "Rate exceeded");
}
