export type TokenKind = "word" | "string" | "other" | "punctuation";

const KINDS: readonly TokenKind[] = ["word", "string", "other", "punctuation"];

/** The tokens of a source file. All methods take the index of a token and need constant time. */
export interface Tokens {
  readonly length: number;
  kind(index: number): TokenKind | undefined;
  /** Returns the token's text; empty for an index outside the list. */
  text(index: number): string;
  /** Returns the token's offset in the source. */
  start(index: number): number;
  /** Returns whether it is the first token of its line. */
  startsLine(index: number): boolean;
  /**
   * Returns the index of the bracket that closes the one at `index`; undefined for other tokens and
   * unclosed brackets.
   */
  closing(index: number): number | undefined;
  /** false: brackets are missing, so the source is broken or was misread. */
  readonly isBalanced: boolean;
}

/** Returns the next index; for an opening bracket, the one after its closing bracket. */
export function afterToken(tokens: Tokens, index: number): number {
  return (tokens.closing(index) ?? index) + 1;
}

const OPENING = "([{";
const CLOSING = ")]}";

/** Collects tokens in typed arrays: a bundle of 4 MB has more than a million. */
export class TokenBuilder implements Tokens {
  readonly #source: string;
  #length = 0;
  #starts = new Int32Array(1024);
  #ends = new Int32Array(1024);
  #kinds = new Uint8Array(1024);
  #lines = new Uint8Array(1024);
  /** By opening bracket: the index of the closing one, 0 for none. */
  #closings = new Int32Array(1024);
  readonly #open: number[] = [];
  #isMismatched = false;

  constructor(source: string) {
    this.#source = source;
  }

  get length(): number {
    return this.#length;
  }

  get isBalanced(): boolean {
    return this.#open.length === 0 && !this.#isMismatched;
  }

  /** The number of open brackets. */
  get depth(): number {
    return this.#open.length;
  }

  add(kind: TokenKind, start: number, end: number, startsLine: boolean): void {
    if (this.#length === this.#starts.length) this.#grow();
    this.#starts[this.#length] = start;
    this.#ends[this.#length] = end;
    this.#kinds[this.#length] = KINDS.indexOf(kind);
    this.#lines[this.#length] = startsLine ? 1 : 0;
    // The opening bracket of `${` in a template is its last character.
    if (kind === "punctuation") this.#match(this.#source.charAt(end - 1));
    this.#length += 1;
  }

  kind(index: number): TokenKind | undefined {
    return index >= 0 && index < this.#length ? KINDS[this.#kinds[index] ?? 0] : undefined;
  }

  text(index: number): string {
    return index >= 0 && index < this.#length
      ? this.#source.slice(this.#starts[index], this.#ends[index])
      : "";
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  startsLine(index: number): boolean {
    return this.#lines[index] === 1;
  }

  closing(index: number): number | undefined {
    return this.#closings[index] || undefined;
  }

  #match(bracket: string): void {
    if (OPENING.includes(bracket)) this.#open.push(this.#length);
    else if (CLOSING.includes(bracket)) {
      const opening = this.#open.pop();
      const expected = opening === undefined ? -1 : OPENING.indexOf(this.text(opening).at(-1) ?? "");
      this.#isMismatched ||= expected !== CLOSING.indexOf(bracket);
      if (opening !== undefined) this.#closings[opening] = this.#length;
    }
  }

  #grow(): void {
    const size = this.#length * 2;
    this.#starts = grown(this.#starts, new Int32Array(size));
    this.#ends = grown(this.#ends, new Int32Array(size));
    this.#kinds = grown(this.#kinds, new Uint8Array(size));
    this.#lines = grown(this.#lines, new Uint8Array(size));
    this.#closings = grown(this.#closings, new Int32Array(size));
  }
}

function grown<T extends Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/**
 * Returns the end of the quoted text that begins at `start`; a line end closes it unless `isLong`.
 */
export function endOfQuote(source: string, start: number, quote: string, isLong: boolean): number {
  let at = start;
  while (at < source.length) {
    const character = source[at];
    if (character === "\\") at += 2;
    else if (source.startsWith(quote, at)) return at + quote.length;
    else if (character === "\n" && !isLong) return at;
    else at += 1;
  }
  return source.length;
}

/** Returns the end of the line that `at` is in. */
export function endOfLine(source: string, at: number): number {
  const end = source.indexOf("\n", at);
  return end < 0 ? source.length : end;
}
