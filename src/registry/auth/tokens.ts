import type { Token } from "./token.ts";

/** Tokens by what they are for; a token is used for 80 % of its life, and no two requests for the same one are in flight. */
export interface Tokens {
  get(key: string, fetch: () => Promise<Token>): Promise<string>;
  /** The registry refused it. */
  drop(token: string): void;
}

const USED_SHARE = 0.8;

interface Kept {
  readonly token: string;
  readonly until: number;
}

export function createTokens(now: () => number): Tokens {
  const kept = new Map<string, Kept>();
  const pending = new Map<string, Promise<string>>();
  const renew = async (key: string, fetch: () => Promise<Token>): Promise<string> => {
    const asked = now();
    const { token, lifeMs } = await fetch();
    kept.set(key, { token, until: asked + lifeMs * USED_SHARE });
    return token;
  };
  return {
    get(key, fetch) {
      const known = kept.get(key);
      if (known && now() < known.until) return Promise.resolve(known.token);
      const asked = pending.get(key) ?? renew(key, fetch).finally(() => pending.delete(key));
      pending.set(key, asked);
      return asked;
    },
    drop(token) {
      for (const [key, value] of kept) if (value.token === token) kept.delete(key);
    },
  };
}
