import { TextList } from "./columns.ts";

/**
 * Numbers for digests of one length, the same number for the same digest; 0 is nobody's. A million of them take some 30 MB, and no more however often
 * each of them comes.
 */
export class DigestTable {
  readonly #digests = new TextList();
  /** By the first bytes, which are as good as any hash: each the number of a digest, 0 is free. At least twice as many as digests, a power of two. */
  #slots = new Uint32Array(1024);

  /** The highest number given so far. */
  get size(): number {
    return this.#digests.length;
  }

  /** The number of `digest`, of at least four bytes, given now where it has none. */
  add(digest: Buffer): number {
    const slot = this.#slotOf(digest);
    const known = this.#slots[slot];
    if (known) return known;
    const number = this.#digests.add(digest) + 1;
    this.#slots[slot] = number;
    if (number * 2 > this.#slots.length) this.#grow();
    return number;
  }

  /** By the digests themselves: the same whatever order they came in. */
  compare(a: number, b: number): number {
    return this.#digests.at(a - 1).compare(this.#digests.at(b - 1));
  }

  /** The digest's own, or the free one where it would be. */
  #slotOf(digest: Buffer): number {
    const mask = this.#slots.length - 1;
    let slot = digest.readUInt32LE(0) & mask;
    for (let number = this.#slots[slot]; number; number = this.#slots[slot]) {
      if (this.#digests.is(number - 1, digest)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 1; number <= this.size; number++)
      this.#slots[this.#slotOf(this.#digests.at(number - 1))] = number;
  }
}
