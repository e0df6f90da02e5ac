/**
 * Keeps the first `limit` of any number of items, in the order of `compare`, and sums up the
 * others. Holds at most a quarter more in memory.
 */
export class Largest<T extends { readonly size: number }> {
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;
  #kept: T[] = [];
  /** The last of the first `limit`, once there are as many. */
  #last: T | undefined;
  /** The items that are not in `list()`. */
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

/** Compares by size, largest first, then by code units of the path: the same on each machine. */
export function bySize(a: Sized, b: Sized): number {
  return b.size - a.size || byPath(a, b);
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
