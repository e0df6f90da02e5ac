import { randomBytes } from "node:crypto";
import type { Quirks } from "./quirks.ts";

interface Token {
  readonly scope: string;
  readonly issuedAt: number;
  requests: number;
}

export type TokenState = "valid" | "expired" | "unknown";

/** The passwords that GetAuthorizationToken and the token server hand out, each for one scope: a region, or `anonymous`. */
export class Tokens {
  readonly #quirks: Quirks;
  readonly #now: () => number;
  readonly #tokens = new Map<string, Token>();

  constructor(quirks: Quirks, now: () => number) {
    this.#quirks = quirks;
    this.#now = now;
  }

  /** All that were handed out: none of them may appear in any output. */
  get issued(): readonly string[] {
    return [...this.#tokens.keys()];
  }

  /** About 1.5 KB, as long as real ones (tart#617). */
  issue(scope: string): string {
    const token = `canary${randomBytes(1100).toString("base64url")}`;
    this.#tokens.set(token, { scope, issuedAt: this.#now(), requests: 0 });
    return token;
  }

  /** Seconds since 1970 at which a token of now expires. */
  expiry(): number {
    return this.#now() / 1000 + this.#quirks.tokenLife.seconds;
  }

  /** Every token handed out so far is expired from now on. */
  expireAll(): void {
    for (const [name, token] of this.#tokens)
      this.#tokens.set(name, { ...token, issuedAt: Number.NEGATIVE_INFINITY });
  }

  scopeOf(name: string): string | undefined {
    return this.#tokens.get(name)?.scope;
  }

  /** Counts as one use. */
  use(name: string, scope: (scope: string) => boolean): TokenState {
    const token = this.#tokens.get(name);
    if (!token || !scope(token.scope)) return "unknown";
    token.requests += 1;
    const { seconds, requests } = this.#quirks.tokenLife;
    const isOld = this.#now() >= token.issuedAt + seconds * 1000;
    return isOld || token.requests > requests ? "expired" : "valid";
  }
}
