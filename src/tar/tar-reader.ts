import { LambdaPackError } from "../errors.ts";
import { TAR_BLOCK } from "./entry.ts";
import { FileContentReader } from "./file-content.ts";
import { attributesIn, entryPath, type LayerEntry, type LayerVisitor } from "./layer-entry.ts";
import { type Extension, paxNumber, paxTime, readLongName, readPax } from "./pax.ts";
import { kindOf, readHeader, type TarHeader } from "./read-header.ts";
import {
  type Fragment,
  isSparseFile,
  LeadingMap,
  oldSparseSize,
  paxSparse,
  readOldSparse,
  readSparseMap,
} from "./sparse.ts";

const MAX_EXTENSION = 1024 * 1024;
const NO_EXTENSION: Extension = {};
const NO_RECORDS: ReadonlyMap<string, string> = new Map();
const DAMAGED_PAX = "has a damaged PAX header";
const DAMAGED_MAP = "has a damaged sparse file";
const HEADER: Stage = { kind: "header" };

type Stage =
  | { readonly kind: "header" | "second zero block" | "end" | "skip" }
  | { readonly kind: "extension"; readonly type: string; readonly body: Buffer }
  | { readonly kind: "old map"; readonly planned: PlannedFile }
  | { readonly kind: "leading map"; readonly planned: PlannedFile; readonly map: LeadingMap }
  | { readonly kind: "content"; readonly entry: LayerEntry; readonly content: FileContentReader | undefined };

/** A file whose map of fragments is being read. */
interface PlannedFile {
  readonly entry: LayerEntry;
  /** Bytes that are stored after the header, a leading map included. */
  readonly stored: number;
  readonly fragments: readonly Fragment[];
}

/**
 * Reads a tar that is pushed in pieces of any size: ustar, PAX, GNU's long names, base-256 numbers
 * and sparse files. Holds one header, one extension of at most 1 MiB, and what the visitor wants of
 * one file. Refuses what Go's archive/tar refuses.
 * @throws IMAGE_INVALID naming the byte, from `push` or `end`.
 */
export class TarReader {
  /** Bytes taken so far. */
  bytes = 0;
  /** Entries seen so far. */
  entries = 0;
  /** Bytes of holes in sparse files that were seen so far. */
  holes = 0;
  readonly #visitor: LayerVisitor;
  readonly #block = Buffer.alloc(TAR_BLOCK);
  #filled = 0;
  #stage: Stage = HEADER;
  /** Bytes of the stage, and of the padding after it, that are still to come. */
  #left = 0;
  #padding = 0;
  #extension: Extension = NO_EXTENSION;
  /** Where the headers of the next entry begin; undefined: none of them was read yet. */
  #from: number | undefined;

  constructor(visitor: LayerVisitor) {
    this.#visitor = visitor;
  }

  push(chunk: Buffer): void {
    const start = this.bytes;
    for (let at = 0; at < chunk.length; this.bytes = start + at) {
      if (this.#stage.kind === "end") at = chunk.length;
      else if (this.#left > 0) at = this.#takeBody(chunk, at);
      else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else at = this.#takeBlock(chunk, at);
    }
  }

  /** Throws if the tar is cut off; padding and blocks of zeros may be missing (GNU tar, Go). */
  end(): void {
    const isOver = ["header", "second zero block", "end"].includes(this.#stage.kind);
    if (!isOver || this.#filled > 0) this.#refuse("is cut off");
  }

  #takeBlock(chunk: Buffer, at: number): number {
    if (this.#filled === 0 && chunk.length - at >= TAR_BLOCK) {
      this.#readBlock(chunk.subarray(at, at + TAR_BLOCK));
      return at + TAR_BLOCK;
    }
    const taken = chunk.copy(this.#block, this.#filled, at, at + TAR_BLOCK - this.#filled);
    this.#filled += taken;
    if (this.#filled === TAR_BLOCK) {
      this.#filled = 0;
      this.#readBlock(this.#block);
    }
    return at + taken;
  }

  #readBlock(block: Buffer): void {
    if (this.#stage.kind === "old map") this.#continueOldMap(block, this.#stage.planned);
    else if (this.#stage.kind === "leading map") this.#continueLeadingMap(block, this.#stage);
    else if (block[0] === 0 && block.every((byte) => byte === 0))
      this.#stage = { kind: this.#stage.kind === "header" ? "second zero block" : "end" };
    else if (this.#stage.kind === "second zero block") this.#refuse("has a lone block of zeros");
    else this.#readHeader(block);
  }

  #readHeader(block: Buffer): void {
    const header = readHeader(block) ?? this.#refuse(this.entries === 0 ? "is not a tar" : "is damaged");
    // Rounded down to whole blocks: the block may have begun in the piece before.
    if (header.type !== "g") this.#from ??= this.bytes - (this.bytes % TAR_BLOCK);
    if ("xLK".includes(header.type)) this.#startExtension(header);
    else if (header.type === "g") this.#startBody({ kind: "skip" }, header.size);
    else this.#startEntry(header, block);
  }

  #startExtension({ type, size }: TarHeader): void {
    if (size > MAX_EXTENSION) this.#refuse("has an extended header of more than 1 MiB");
    this.#startBody({ kind: "extension", type, body: Buffer.alloc(size) }, size);
  }

  #startEntry(header: TarHeader, block: Buffer): void {
    const { records = NO_RECORDS } = this.#extension;
    const sparse = paxSparse(records);
    if (sparse === "damaged") this.#refuse(DAMAGED_MAP);
    const stored = this.#number(records, "size", header.size);
    const name = this.#extension.name ?? sparse?.name ?? records.get("path") ?? header.name;
    const kind = kindOf(header.type, name);
    const isOld = header.type === "S";
    const size = (isOld ? oldSparseSize(block) : sparse?.size) ?? stored;
    const entry = this.#entryOf(header, records, { name, kind, size });
    this.#extension = NO_EXTENSION;
    this.entries += 1;
    // Links, directories and devices have no content, whatever their size says (POSIX pax(1)).
    const planned = { entry, stored, fragments: [] };
    if (kind !== "file") this.#enter(entry, [], kind === "other" ? stored : 0);
    else if (isOld) this.#continueOldMap(block, planned, "header");
    else if (!sparse) this.#enter(entry, [{ offset: 0, length: stored }], stored);
    else if (sparse.map === undefined) this.#stage = { kind: "leading map", planned, map: new LeadingMap() };
    else this.#enterSparse({ ...planned, fragments: readSparseMap(sparse.map) ?? this.#refuse(DAMAGED_MAP) });
  }

  #entryOf(
    header: TarHeader,
    records: ReadonlyMap<string, string>,
    { name, kind, size }: Pick<LayerEntry, "name" | "kind" | "size">,
  ): LayerEntry {
    const mtime = records.get("mtime");
    return {
      // No spread at the start: V8 then gives each object a hidden class of its own, of 500 bytes.
      name,
      kind,
      mode: header.mode,
      path: entryPath(name),
      uid: this.#number(records, "uid", header.uid),
      gid: this.#number(records, "gid", header.gid),
      size: kind === "file" ? size : 0,
      mtime: mtime === undefined ? header.mtime : (paxTime(mtime) ?? this.#refuse(DAMAGED_PAX)),
      link: this.#extension.link ?? records.get("linkpath") ?? header.link,
      attributes: records === NO_RECORDS ? undefined : attributesIn(records),
    };
  }

  #number(records: ReadonlyMap<string, string>, key: string, otherwise: number): number {
    const text = records.get(key);
    return text === undefined ? otherwise : (paxNumber(text) ?? this.#refuse(DAMAGED_PAX));
  }

  #continueOldMap(block: Buffer, planned: PlannedFile, where: "header" | "extension" = "extension"): void {
    const read = readOldSparse(block, where) ?? this.#refuse(DAMAGED_MAP);
    const all = { ...planned, fragments: [...planned.fragments, ...read.fragments] };
    if (read.isExtended) this.#stage = { kind: "old map", planned: all };
    else this.#enterSparse(all);
  }

  #continueLeadingMap(block: Buffer, { planned, map }: Extract<Stage, { kind: "leading map" }>): void {
    const stored = planned.stored - TAR_BLOCK;
    const fragments = map.add(block) ?? this.#refuse(DAMAGED_MAP);
    if (stored < 0) this.#refuse(DAMAGED_MAP);
    if (fragments === "more") this.#stage = { kind: "leading map", planned: { ...planned, stored }, map };
    else this.#enterSparse({ ...planned, stored, fragments });
  }

  #enterSparse({ entry, stored, fragments }: PlannedFile): void {
    if (!isSparseFile(fragments, entry.size, stored)) this.#refuse(DAMAGED_MAP);
    this.holes += entry.size - stored;
    this.#enter(entry, fragments, stored);
  }

  #enter(entry: LayerEntry, fragments: readonly Fragment[], stored: number): void {
    const to = this.bytes - (this.bytes % TAR_BLOCK) + TAR_BLOCK;
    const wanted = this.#visitor.enter(entry, { from: this.#from ?? 0, to });
    this.#from = undefined;
    const show = (piece: Buffer) => this.#visitor.content?.(entry, piece);
    const content = wanted && new FileContentReader(entry.size, fragments, wanted, show);
    this.#startBody({ kind: "content", entry, content }, stored);
  }

  #startBody(stage: Stage, size: number): void {
    this.#stage = stage;
    this.#left = size;
    this.#padding = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
    if (size === 0) this.#endBody();
  }

  #takeBody(chunk: Buffer, at: number): number {
    const piece = chunk.subarray(at, at + this.#left);
    if (this.#stage.kind === "content") this.#stage.content?.add(piece);
    if (this.#stage.kind === "extension") piece.copy(this.#stage.body, this.#stage.body.length - this.#left);
    this.#left -= piece.length;
    if (this.#left === 0) this.#endBody();
    return at + piece.length;
  }

  #endBody(): void {
    const stage = this.#stage;
    this.#stage = HEADER;
    if (stage.kind === "extension") this.#extend(stage.type, stage.body);
    if (stage.kind === "content" && stage.content) this.#visitor.leave?.(stage.entry, ...stage.content.end());
  }

  #extend(type: string, body: Buffer): void {
    if (type === "L") this.#extension = { ...this.#extension, name: readLongName(body) };
    else if (type === "K") this.#extension = { ...this.#extension, link: readLongName(body) };
    else this.#extension = { ...this.#extension, records: readPax(body) ?? this.#refuse(DAMAGED_PAX) };
  }

  #refuse(what: string): never {
    throw new LambdaPackError(
      "IMAGE_INVALID",
      `the layer's tar ${what}, near byte ${this.bytes} and after ${this.entries} entries`,
      { hint: "have the image built again" },
    );
  }
}
