type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

const PAGE_BITS = 14;
const PAGE = 1 << PAGE_BITS;

/** Numbers by index, 0 where none was set. In pages: growing copies nothing, and what is never written to takes no memory. */
export class Column<A extends Numbers> {
  readonly #pages: (A | undefined)[] = [];
  readonly #make: (length: number) => A;

  constructor(make: (length: number) => A) {
    this.#make = make;
  }

  get(index: number): number {
    return this.#pages[index >>> PAGE_BITS]?.[index & (PAGE - 1)] ?? 0;
  }

  set(index: number, value: number): void {
    const number = index >>> PAGE_BITS;
    if (value === 0 && !this.#pages[number]) return;
    const page = this.#pages[number] ?? this.#make(PAGE);
    this.#pages[number] = page;
    page[index & (PAGE - 1)] = value;
  }

  /** Everything in it as bytes: others for other numbers. */
  *raw(): Generator<Uint8Array> {
    yield Buffer.from(`${this.#pages.map((page) => (page ? "+" : "-")).join("")}\n`);
    for (const page of this.#pages) {
      if (page) yield new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
    }
  }

  /** Afterwards the number is at least `value`. */
  raise(index: number, value: number): void {
    if (this.get(index) < value) this.set(index, value);
  }
}

export function bytes(): Column<Uint8Array> {
  return new Column((length) => new Uint8Array(length));
}

export function shorts(): Column<Uint16Array> {
  return new Column((length) => new Uint16Array(length));
}

export function words(): Column<Uint32Array> {
  return new Column((length) => new Uint32Array(length));
}

const WORD = 2 ** 32;

/** Sizes, of which few need more than 32 bits: half the memory of a number each. */
export class Sizes {
  readonly #low = words();
  readonly #high = words();

  get(index: number): number {
    return this.#high.get(index) * WORD + this.#low.get(index);
  }

  set(index: number, size: number): void {
    this.#low.set(index, size % WORD);
    this.#high.set(index, Math.floor(size / WORD));
  }
}

/** For times, which may be negative, and sums. */
export function doubles(): Column<Float64Array> {
  return new Column((length) => new Float64Array(length));
}

/** Whole numbers, each in it or not: one bit for each below the largest. */
export class NumberSet {
  readonly #bits = words();

  has(number: number): boolean {
    return (this.#bits.get(number >>> 5) & (1 << (number & 31))) !== 0;
  }

  add(number: number): void {
    this.#bits.set(number >>> 5, this.#bits.get(number >>> 5) | (1 << (number & 31)));
  }
}

const TEXT_PAGE = 1024 * 1024;
/** No path of Linux is as long, and so no name and no link that leads anywhere. */
const LONGEST_TEXT = 0xffff;

/** Short texts, by the order in which they came. A string of its own takes five times as much. */
export class TextList {
  /** Texts in it. */
  length = 0;
  /** Of all texts together. */
  bytes = 0;
  readonly #starts = words();
  readonly #lengths = shorts();
  readonly #pages: Buffer[] = [];
  /** Filled of the last page. */
  #filled = TEXT_PAGE;

  /** The index of the added text, which is cut at 65,535 bytes. */
  add(text: Buffer): number {
    const length = Math.min(text.length, LONGEST_TEXT);
    if (this.#filled + length > TEXT_PAGE) {
      this.#pages.at(-1)?.fill(0, this.#filled);
      this.#pages.push(Buffer.allocUnsafeSlow(TEXT_PAGE));
      this.#filled = 0;
    }
    text.copy(this.#pages.at(-1) ?? text, this.#filled, 0, length);
    this.#starts.set(this.length, (this.#pages.length - 1) * TEXT_PAGE + this.#filled);
    this.#lengths.set(this.length, length);
    this.#filled += length;
    this.bytes += length;
    this.length += 1;
    return this.length - 1;
  }

  at(index: number): Buffer {
    const start = this.#starts.get(index);
    const page = this.#pages[Math.floor(start / TEXT_PAGE)] ?? EMPTY;
    return page.subarray(start % TEXT_PAGE, (start % TEXT_PAGE) + this.#lengths.get(index));
  }

  /** As `at`, as a text; half the time of a Buffer's own. */
  textAt(index: number): string {
    const start = this.#starts.get(index);
    const page = this.#pages[Math.floor(start / TEXT_PAGE)] ?? EMPTY;
    const from = start % TEXT_PAGE;
    return page.toString("utf8", from, from + this.#lengths.get(index));
  }

  /** Everything in it as bytes: others for other texts. */
  *raw(): Generator<Uint8Array> {
    yield Buffer.from(`${this.length} ${this.bytes}\n`);
    yield* this.#lengths.raw();
    for (const page of this.#pages) yield page === this.#pages.at(-1) ? page.subarray(0, this.#filled) : page;
  }

  is(index: number, text: Buffer): boolean {
    const length = this.#lengths.get(index);
    if (length !== text.length) return false;
    const start = this.#starts.get(index);
    const from = start % TEXT_PAGE;
    const page = this.#pages[Math.floor(start / TEXT_PAGE)] ?? EMPTY;
    return text.compare(page, from, from + length) === 0;
  }
}

const EMPTY = Buffer.alloc(0);
