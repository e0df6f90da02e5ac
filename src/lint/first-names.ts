/** As many as are named in a finding. */
const MOST = 3;

/** Counts names, and keeps the first few of them in their order: a million of them take no memory. */
export class Few {
  count = 0;
  readonly #names: string[] = [];

  add(name: string): void {
    this.count += 1;
    if (this.#names.length === MOST && name > (this.#names.at(-1) ?? "")) return;
    this.#names.push(name);
    this.#names.sort();
    this.#names.splice(MOST);
  }

  /** By their code units, the same on every machine. */
  get names(): readonly string[] {
    return this.#names;
  }
}
