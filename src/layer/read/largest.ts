/** Keeps the first `limit` of any number of items, in the order of `compare`, in memory for twice as many; sums up what it drops. */
export class Largest<T extends { readonly size: number }> {
  readonly #limit: number;
  readonly #compare: (a: T, b: T) => number;
  #kept: T[] = [];
  /** What is not in `list()`. */
  readonly dropped = { files: 0, bytes: 0 };

  constructor(limit: number, compare: (a: T, b: T) => number) {
    this.#limit = limit;
    this.#compare = compare;
  }

  add(item: T): void {
    this.#kept.push(item);
    if (this.#kept.length >= this.#limit * 2) this.#drop();
  }

  list(): readonly T[] {
    this.#drop();
    return this.#kept;
  }

  #drop(): void {
    this.#kept.sort(this.#compare);
    for (const { size } of this.#kept.slice(this.#limit)) {
      this.dropped.files += 1;
      this.dropped.bytes += size;
    }
    this.#kept = this.#kept.slice(0, this.#limit);
  }
}

interface Sized {
  readonly path: string;
  readonly size: number;
}

/** The largest first; by the code units of the path among those of one size, the same on every machine. */
export function bySize(a: Sized, b: Sized): number {
  return b.size - a.size || byPath(a, b);
}

export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
