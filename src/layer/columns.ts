type Numbers = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** Numbers by index, 0 where none was set. Grows by half when it is full; what is never written to takes no memory. */
export class Column<A extends Numbers> {
  #values: A;
  readonly #make: (length: number) => A;

  constructor(make: (length: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) this.#grow(index + 1);
    this.#values[index] = value;
  }

  /** Afterwards the number is at least `value`. */
  raise(index: number, value: number): void {
    if (this.get(index) < value) this.set(index, value);
  }

  #grow(length: number): void {
    const grown = this.#make(Math.max(length, Math.ceil(this.#values.length * 1.5)));
    grown.set(this.#values);
    this.#values = grown;
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

/** For sizes, which do not fit into 32 bits. */
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

/** Short texts one behind the other, by the order in which they came. A string of its own takes five times as much. */
export class TextList {
  /** Texts in it. */
  length = 0;
  /** Of all texts together. */
  bytes = 0;
  readonly #ends = words();
  #text: Buffer = Buffer.alloc(16 * 1024);

  /** The index of the added text. */
  add(text: Buffer): number {
    const end = this.bytes + text.length;
    if (end > this.#text.length) this.#grow(end);
    text.copy(this.#text, this.bytes);
    this.#ends.set(this.length, end);
    this.bytes = end;
    this.length += 1;
    return this.length - 1;
  }

  /** Only valid until the next `add`. */
  at(index: number): Buffer {
    return this.#text.subarray(index === 0 ? 0 : this.#ends.get(index - 1), this.#ends.get(index));
  }

  is(index: number, text: Buffer): boolean {
    const from = index === 0 ? 0 : this.#ends.get(index - 1);
    const to = this.#ends.get(index);
    return to - from === text.length && this.#text.compare(text, 0, text.length, from, to) === 0;
  }

  #grow(length: number): void {
    const grown = Buffer.alloc(Math.max(length, Math.ceil(this.#text.length * 1.5)));
    this.#text.copy(grown, 0, 0, this.bytes);
    this.#text = grown;
  }
}
