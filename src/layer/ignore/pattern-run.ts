import type { Token } from "./pattern.ts";

const SLASH = 0x2f;

/** A state consumes one code point; `skip` consumes none and passes over an optional `inside`. */
type State =
  | Exclude<Token, { readonly kind: "directories" }>
  | { readonly kind: "skip" }
  | { readonly kind: "inside" };

/**
 * Returns a test for paths that the tokens match, or whose parents they match. It follows
 * all possible matches in parallel (Thompson's construction), so its time is at most path ×
 * pattern: a backtracking regular expression takes exponential time on `*a*a*a*a*b`.
 */
export function matcherOf(tokens: readonly Token[]): (path: string) => boolean {
  const states = tokens.filter((token, index) => !repeats(token, tokens[index - 1])).flatMap(statesOf);
  return (path) => run(states, path);
}

/** Returns whether the token is a `**` after another `**`, which adds nothing. */
function repeats(token: Token, before: Token | undefined): boolean {
  return token.kind === "directories" && before?.kind === "directories";
}

function statesOf(token: Token): readonly State[] {
  return token.kind === "directories" ? [{ kind: "skip" }, { kind: "inside" }] : [token];
}

function run(states: readonly State[], path: string): boolean {
  const end = states.length;
  let active = new Active(states);
  let next = new Active(states);
  active.add(0);
  for (const character of path) {
    const code = character.codePointAt(0) ?? 0;
    if (code === SLASH && active.has(end)) return true;
    next.clear();
    active.each((at) => step(states[at], at, code, next));
    [active, next] = [next, active];
    if (active.size === 0) return false;
  }
  return active.has(end);
}

function step(state: State | undefined, at: number, code: number, next: Active): void {
  if (state === undefined) return;
  if (state.kind === "rest" || state.kind === "inside") next.add(at);
  if (state.kind === "star" && code !== SLASH) next.add(at);
  if (state.kind === "inside" && code === SLASH) next.add(at + 1);
  if (consumes(state, code)) next.add(at + 1);
}

function consumes(state: State, code: number): boolean {
  if (state.kind === "literal") return state.code === code;
  if (state.kind === "any") return code !== SLASH;
  if (state.kind !== "class") return false;
  return state.ranges.some(([from, to]) => code >= from && code <= to) !== state.negated;
}

/**
 * The states that are possible after the path so far. Adding a state adds those that it reaches
 * without consuming anything.
 */
class Active {
  readonly #states: readonly State[];
  readonly #list: Uint32Array;
  readonly #seen: Uint8Array;
  size = 0;

  constructor(states: readonly State[]) {
    this.#states = states;
    this.#list = new Uint32Array(states.length + 1);
    this.#seen = new Uint8Array(states.length + 1);
  }

  add(first: number): void {
    for (let at = first; this.#seen[at] === 0; at++) {
      this.#seen[at] = 1;
      this.#list[this.size++] = at;
      const kind = this.#states[at]?.kind;
      if (kind === "skip") this.add(at + 2);
      else if (kind !== "star" && kind !== "rest") return;
    }
  }

  has(at: number): boolean {
    return this.#seen[at] === 1;
  }

  each(visit: (at: number) => void): void {
    for (let index = 0; index < this.size; index++) visit(this.#list[index] ?? 0);
  }

  clear(): void {
    this.#seen.fill(0);
    this.size = 0;
  }
}
