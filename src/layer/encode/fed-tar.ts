import type { Entry } from "../../tar/entry.ts";
import { tarBytes } from "../../tar/header.ts";
import type { Blocks } from "./blocks.ts";
import { BLOCK, PORTION } from "./limits.ts";
import { tar } from "./tar.ts";

/** Entries that come next: with those before there is more of them than the portions so far have room for, or they are all. */
export interface Portion {
  readonly entries: readonly Entry[];
  /** Of the tar, that these make at least. */
  readonly bytes: number;
  readonly isLast: boolean;
}

/** The entries of a tar, for each {@link PORTION} of it. */
export function* portionsOf(entries: Iterable<Entry>): Generator<Portion, undefined> {
  let portion: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    portion.push(entry);
    bytes += tarBytes(entry);
    for (; bytes > PORTION; bytes -= PORTION) {
      yield { entries: portion, bytes: PORTION, isLast: false };
      portion = [];
    }
  }
  yield { entries: portion, bytes, isLast: true };
}

/** A tar of entries that come portion by portion. */
export class FedTar {
  readonly #tar: Generator<Buffer>;
  readonly #waiting: (readonly Entry[])[] = [];
  #isAll = false;

  constructor(mtime: Date, blocks: Blocks) {
    this.#tar = tar(this.#entries(), { mtime, blocks });
  }

  /** The next {@link PORTION} of the tar, in memory of `blocks`; for the last portion all that is left. @throws FILE_CHANGED, FILE_UNREADABLE. */
  *feed({ entries, isLast }: Portion): Generator<Buffer> {
    this.#waiting.push(entries);
    this.#isAll = isLast;
    for (let filled = 0; isLast || filled < PORTION; filled += BLOCK) {
      const { value, done } = this.#tar.next();
      if (done) return;
      yield value;
    }
  }

  /** Closes what is open. */
  drop(): void {
    this.#tar.return(undefined);
  }

  *#entries(): Generator<Entry> {
    for (let entries = this.#waiting.shift(); entries; entries = this.#waiting.shift()) yield* entries;
    if (!this.#isAll) throw new Error("there is less of the tar than a portion has room for");
  }
}
