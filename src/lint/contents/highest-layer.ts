/** Keeps one value for each path, that of the highest layer. Layers may be read in any order. */
export class HighestLayerMap<T> {
  readonly #kept = new Map<string, { readonly layer: number; readonly value: T }>();
  readonly #limit: number;

  /** Keeps the values of at most `limit` paths and ignores further ones. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#kept.size >= this.#limit;
  }

  keep(path: string, layer: number, value: T): void {
    const before = this.#kept.get(path);
    if (before ? before.layer <= layer : !this.isFull) this.#kept.set(path, { layer, value });
  }

  get(path: string): T | undefined {
    return this.#kept.get(path)?.value;
  }

  *[Symbol.iterator](): Generator<readonly [path: string, value: T, layer: number]> {
    for (const [path, { value, layer }] of this.#kept) yield [path, value, layer];
  }
}
