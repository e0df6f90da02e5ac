/** How many names a finding lists. */
const MOST = 3;

/** Counts names and keeps the first few in code unit order, so that a million of them take no memory. */
export class FirstNames {
  count = 0;
  readonly #names: string[] = [];

  add(name: string): void {
    this.count += 1;
    if (this.#names.length === MOST && name > (this.#names.at(-1) ?? "")) return;
    this.#names.push(name);
    this.#names.sort();
    this.#names.splice(MOST);
  }

  get names(): readonly string[] {
    return this.#names;
  }
}
