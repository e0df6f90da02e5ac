type TokenKind = "word" | "string" | "other" | "punctuation";

/** Returns the next index; for an opening bracket, the one after its closing bracket. */
export function afterToken(tokens: Tokens, index: number, end: number = tokens.length): number {
  const closing = tokens.closing(index) ?? index;
  return (closing < end ? closing : index) + 1;
}

const OPENING = "([{";
const CLOSING = ")]}";

/**
 * The tokens of a source file, in arrays of numbers: a file of 4 MB has more than a million. All
 * methods take the index of a token and need constant time.
 */
export class Tokens {
  readonly #source: string;
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #kinds: TokenKind[] = [];
  readonly #lines: boolean[] = [];
  /** By opening bracket: the index of the closing one. */
  readonly #closings = new Map<number, number>();
  readonly #open: number[] = [];
  #isMismatched = false;

  constructor(source: string) {
    this.#source = source;
  }

  get length(): number {
    return this.#starts.length;
  }

  /** false: brackets are missing, so the source is broken or was misread. */
  get isBalanced(): boolean {
    return this.#open.length === 0 && !this.#isMismatched;
  }

  /** The number of open brackets. */
  get depth(): number {
    return this.#open.length;
  }

  add(kind: TokenKind, start: number, end: number, startsLine: boolean): void {
    // The opening bracket of `${` in a template is its last character.
    if (kind === "punctuation") this.#match(this.#source.charAt(end - 1));
    this.#starts.push(start);
    this.#ends.push(end);
    this.#kinds.push(kind);
    this.#lines.push(startsLine);
  }

  kind(index: number): TokenKind | undefined {
    return this.#kinds[index];
  }

  /** Returns the token's text; empty for an index outside the list. */
  text(index: number): string {
    return index in this.#starts ? this.#source.slice(this.#starts[index], this.#ends[index]) : "";
  }

  /** Returns the token's offset in the source. */
  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  /** Returns whether it is the first token of its line. */
  startsLine(index: number): boolean {
    return this.#lines[index] === true;
  }

  /** Returns the index of the bracket that closes the one at `index`; undefined if none does. */
  closing(index: number): number | undefined {
    return this.#closings.get(index);
  }

  #match(bracket: string): void {
    if (OPENING.includes(bracket)) this.#open.push(this.length);
    else if (CLOSING.includes(bracket)) {
      const opening = this.#open.pop();
      const expected = opening === undefined ? -1 : OPENING.indexOf(this.text(opening).at(-1) ?? "");
      this.#isMismatched ||= expected !== CLOSING.indexOf(bracket);
      if (opening !== undefined) this.#closings.set(opening, this.length);
    }
  }
}

/** Returns the end of the text in quotes; a line end closes it unless `isLong`. */
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

/** Returns the end of what the sticky pattern matches at this offset. */
export function matchEnd(pattern: RegExp, source: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : undefined;
}
