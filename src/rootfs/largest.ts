/**
 * Keeps the first `limit` of any number of items, in the order of `compare`, in memory for a
 * quarter more; sums up what it drops. What can no longer be among them is let go at once.
 */
export class Largest<T extends { readonly size: number }> {
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;
  #kept: T[] = [];
  /** The last of the first `limit`, once there are as many. */
  #last: T | undefined;
  /** What is not in `list()`. */
  readonly dropped = { files: 0, bytes: 0 };

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(item: T): void {
    if (this.#last !== undefined && this.#compare(item, this.#last) >= 0) return void this.#drop(item);
    this.#kept.push(item);
    if (this.#kept.length >= this.#limit * 1.25) this.#cut();
  }

  list(): readonly T[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.#compare);
    for (const item of this.#kept.splice(this.#limit)) this.#drop(item);
    if (this.#kept.length === this.#limit) this.#last = this.#kept.at(-1);
  }

  #drop({ size }: T): void {
    this.dropped.files += 1;
    this.dropped.bytes += size;
  }
}

interface Sized {
  readonly path: string;
  readonly size: number;
}

/**
 * The largest first; by the code units of the path among those of one size, the same on every
 * machine.
 */
export function bySize(a: Sized, b: Sized): number {
  return b.size - a.size || byPath(a, b);
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
