import type { Fragment } from "./sparse.ts";

/** How many bytes of a file's content are kept: from its start and, if longer, from its end. */
export interface Wanted {
  readonly head: number;
  readonly tail?: number;
}

const NOTHING = Buffer.alloc(0);
const ZEROS = Buffer.alloc(64 * 1024);

/**
 * Passes on the content of one file as a reader of the file sees it, with zeros in the holes of a
 * sparse one, and keeps its start and its end.
 */
export class FileContentReader {
  readonly #show: (piece: Buffer) => void;
  readonly #size: number;
  readonly #tailBytes: number;
  readonly #fragments: Fragment[];
  readonly #head: Buffer;
  #tail: Buffer = NOTHING;
  /** Bytes of the file that were passed on, holes included. */
  #at = 0;
  /** Bytes of the first fragment that were passed on. */
  #inFragment = 0;

  /** @param size bytes of the file with its holes; `fragments` cover those that are stored */
  constructor(
    size: number,
    fragments: readonly Fragment[],
    wanted: Wanted | undefined,
    show: (piece: Buffer) => void,
  ) {
    this.#show = show;
    this.#size = size;
    this.#fragments = fragments.filter(({ length }) => length > 0);
    this.#head = Buffer.allocUnsafeSlow(Math.min(wanted?.head ?? 0, size));
    this.#tailBytes = Math.min(wanted?.tail ?? 0, size);
  }

  /** Takes the next stored bytes. */
  add(stored: Buffer): void {
    for (let from = 0; from < stored.length; ) {
      const [fragment] = this.#fragments;
      if (!fragment) return;
      this.#fill(fragment.offset);
      const piece = stored.subarray(from, from + fragment.length - this.#inFragment);
      this.#pass(piece);
      from += piece.length;
      this.#inFragment += piece.length;
      if (this.#inFragment < fragment.length) continue;
      this.#fragments.shift();
      this.#inFragment = 0;
    }
  }

  /** Returns the start and the end of the content. */
  end(): readonly [head: Buffer, tail: Buffer] {
    this.#fill(this.#size);
    return [this.#head, this.#tail];
  }

  /** Passes on zeros up to `offset`, but not within a fragment. */
  #fill(offset: number): void {
    if (this.#inFragment > 0) return;
    while (this.#at < offset) this.#pass(ZEROS.subarray(0, offset - this.#at));
  }

  #pass(piece: Buffer): void {
    if (this.#at < this.#head.length) piece.copy(this.#head, this.#at);
    this.#at += piece.length;
    // Only the last pieces can be part of the tail.
    if (this.#tailBytes > this.#size - this.#at)
      this.#tail = Buffer.from(
        Buffer.concat([this.#tail, piece.subarray(-this.#tailBytes)]).subarray(-this.#tailBytes),
      );
    this.#show(piece);
  }
}
