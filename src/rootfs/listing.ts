import { createHash, type Hash } from "node:crypto";
import type { LayerEntry, LayerVisitor, Wanted } from "../tar/layer-entry.ts";
import { doubles, shorts, TextList, words } from "./columns.ts";
import type { PathTable } from "./path-table.ts";

const DIGEST_BYTES = 16;

/** All that the tar of one layer says of each entry, by the numbers of a table that two of them may share. Of an entry that is twice in it the last counts. */
export class Listing implements LayerVisitor {
  /** Entries in the order of the tar. */
  readonly order: number[] = [];
  readonly #paths: PathTable;
  /** By path: the index of its texts + 1; 0 where it has no entry. */
  readonly #indexes = words();
  readonly #modes = shorts();
  readonly #times = doubles();
  readonly #kinds = new TextList();
  readonly #owners = new TextList();
  readonly #links = new TextList();
  /** Digests of files; empty for all else. */
  readonly #contents = new TextList();
  #id = 0;
  #hash: Hash | undefined;

  constructor(paths: PathTable) {
    this.#paths = paths;
  }

  enter(entry: LayerEntry): Wanted | undefined {
    const { path, kind, mode, uid, gid, mtime, link } = entry;
    this.#hash = undefined;
    if (path === undefined || path === "") return undefined;
    this.#id = this.#paths.add(path);
    this.order.push(this.#id);
    this.#modes.set(this.#id, mode);
    this.#times.set(this.#id, mtime);
    this.#kinds.add(Buffer.from(kind));
    this.#owners.add(Buffer.from(`${uid}:${gid}`));
    this.#links.add(Buffer.from(link));
    this.#indexes.set(this.#id, this.#kinds.length);
    if (kind === "file") this.#hash = createHash("sha256");
    else this.#contents.add(Buffer.alloc(0));
    return kind === "file" ? { head: 0 } : undefined;
  }

  content(_entry: LayerEntry, piece: Buffer): void {
    this.#hash?.update(piece);
  }

  leave(): void {
    if (this.#hash) this.#contents.add(this.#hash.digest().subarray(0, DIGEST_BYTES));
    this.#hash = undefined;
  }

  has(id: number): boolean {
    return this.#indexes.get(id) > 0;
  }

  /** What differs of the entry that both have. */
  differences(other: Listing, id: number): readonly EntryAspect[] {
    const found: EntryAspect[] = [];
    if (!this.#same(this.#kinds, other, other.#kinds, id)) found.push("kind");
    if (!this.#same(this.#contents, other, other.#contents, id)) found.push("content");
    if (!this.#same(this.#links, other, other.#links, id)) found.push("link");
    if (this.#modes.get(id) !== other.#modes.get(id)) found.push("mode");
    if (!this.#same(this.#owners, other, other.#owners, id)) found.push("owner");
    if (this.#times.get(id) !== other.#times.get(id)) found.push("mtime");
    return found;
  }

  #same(texts: TextList, other: Listing, others: TextList, id: number): boolean {
    return others.is(other.#indexes.get(id) - 1, texts.at(this.#indexes.get(id) - 1));
  }
}

/** What the tar says of an entry. */
export type EntryAspect = "kind" | "content" | "link" | "mode" | "owner" | "mtime";
