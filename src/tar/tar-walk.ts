import { LambdaPackError } from "../errors.ts";
import { entryPath } from "./entry-path.ts";
import {
  BLOCK,
  decodeBlock,
  decodeLongName,
  decodePax,
  type EntryKind,
  kindOf,
  type TarBlock,
} from "./tar-block.ts";

/** An entry of a layer, as its tar has it. */
export interface LayerEntry {
  /** As it is written there. */
  readonly name: string;
  /** '/'-separated, no slash at either end; "" for the root. undefined where it means no place in an image. */
  readonly path: string | undefined;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file's content; 0 for all else. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** What a link points to, as it is written there. */
  readonly link: string;
}

/** What is to be kept of a file's content: this many bytes from its start and, of a longer one, from its end. */
export interface Wanted {
  readonly head: number;
  readonly tail?: number;
}

/** Is shown every entry in the order of the tar. */
export interface LayerVisitor {
  /** Returns what of the content is wanted; undefined: nothing. */
  enter(entry: LayerEntry): Wanted | undefined;
  /** After the content of an entry of which something was wanted: memory of its own, at most what was asked for. */
  leave?(entry: LayerEntry, head: Buffer, tail: Buffer): void;
  /** All of the content of files, piece by piece; a piece is only valid during the call. */
  content?(entry: LayerEntry, piece: Buffer): void;
}

const MAX_EXTENSION = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

interface Extension {
  readonly name?: string | undefined;
  readonly link?: string | undefined;
  readonly size?: number | undefined;
}

/** What the bytes after a header are for. */
type Body =
  | { readonly kind: "extension"; readonly type: string }
  | { readonly kind: "content"; readonly entry: LayerEntry; readonly wanted: Wanted | undefined };

/**
 * Reads a tar that is pushed in pieces of any size: ustar, PAX (path, linkpath, size), GNU long names and base-256 numbers. Holds one header,
 * one extension of at most 1 MiB, and what the visitor wants of one file.
 * @throws IMAGE_INVALID naming the byte, from `push` or `end`.
 */
export class TarWalk {
  /** Bytes taken so far. */
  bytes = 0;
  /** Entries seen so far. */
  entries = 0;
  readonly #visitor: LayerVisitor;
  readonly #header = Buffer.alloc(BLOCK);
  #filled = 0;
  #body: Body | undefined;
  /** Bytes of the body, and of the padding after it, that are still to come. */
  #left = 0;
  #padding = 0;
  #kept: Buffer = NOTHING;
  #keptBytes = 0;
  #tail: Buffer = NOTHING;
  #extension: Extension = {};
  #ended = false;

  constructor(visitor: LayerVisitor) {
    this.#visitor = visitor;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#ended) at = chunk.length;
      else if (this.#left > 0) at = this.#takeBody(chunk, at);
      else if (this.#padding > 0) at = this.#skipPadding(chunk, at);
      else at = this.#takeHeader(chunk, at);
    }
    this.bytes += chunk.length;
  }

  /** What is missing at the end is an error; the two blocks of zeros may be missing, as GNU tar allows. */
  end(): void {
    if (this.#left > 0 || this.#filled > 0) throw this.#broken("is cut off");
  }

  #skipPadding(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#padding, chunk.length - at);
    this.#padding -= skipped;
    return at + skipped;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    if (this.#filled === 0 && chunk.length - at >= BLOCK) {
      this.#readHeader(chunk.subarray(at, at + BLOCK));
      return at + BLOCK;
    }
    const taken = chunk.copy(this.#header, this.#filled, at, at + BLOCK - this.#filled);
    this.#filled += taken;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#readHeader(this.#header);
    }
    return at + taken;
  }

  #readHeader(bytes: Buffer): void {
    if (bytes[0] === 0 && bytes.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    const block = decodeBlock(bytes);
    if (!block) throw this.#broken(this.entries === 0 ? "is no tar" : "is damaged");
    if ("xLK".includes(block.type)) this.#startExtension(block);
    else if (block.type === "g") this.#startBody({ kind: "extension", type: "g" }, block.size, 0);
    else this.#startEntry(block);
  }

  #startExtension({ type, size }: TarBlock): void {
    if (size > MAX_EXTENSION) throw this.#broken("has an extended header of more than 1 MiB");
    this.#startBody({ kind: "extension", type }, size, size);
  }

  #startEntry(block: TarBlock): void {
    const { name = block.name, link = block.link, size = block.size } = this.#extension;
    this.#extension = {};
    this.entries += 1;
    const kind = kindOf(block.type, name);
    // Links, directories and devices have no content, whatever their size says (POSIX pax(1)).
    const hasContent = kind === "file" || kind === "other";
    const { mode, uid, gid, mtime } = block;
    const entry = {
      name,
      path: entryPath(name),
      kind,
      mode,
      uid,
      gid,
      size: kind === "file" ? size : 0,
      mtime,
      link,
    };
    const wanted = this.#visitor.enter(entry);
    const body: Body = { kind: "content", entry, wanted };
    this.#tail = NOTHING;
    this.#startBody(body, hasContent ? size : 0, Math.min(size, wanted?.head ?? 0));
  }

  #startBody(body: Body, size: number, keep: number): void {
    this.#body = body;
    this.#left = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.#kept = keep === 0 ? NOTHING : Buffer.allocUnsafeSlow(Math.min(keep, size));
    this.#keptBytes = 0;
    if (size === 0) this.#endBody();
  }

  #takeBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#left);
    if (this.#keptBytes < this.#kept.length) {
      this.#keptBytes += chunk.copy(this.#kept, this.#keptBytes, at, end);
    }
    this.#left -= end - at;
    if (this.#body?.kind === "content") this.#show(this.#body, chunk.subarray(at, end));
    if (this.#left === 0) this.#endBody();
    return end;
  }

  #show({ entry, wanted }: Extract<Body, { kind: "content" }>, piece: Buffer): void {
    this.#visitor.content?.(entry, piece);
    const tail = wanted?.tail ?? 0;
    // Only the last pieces can be part of it.
    if (tail > this.#left)
      this.#tail = Buffer.from(Buffer.concat([this.#tail, piece.subarray(-tail)]).subarray(-tail));
  }

  #endBody(): void {
    const body = this.#body;
    if (body?.kind === "content" && body.wanted) this.#visitor.leave?.(body.entry, this.#kept, this.#tail);
    if (body?.kind === "extension" && body.type !== "g") this.#extend(body.type, this.#kept);
    this.#body = undefined;
    this.#kept = NOTHING;
    this.#tail = NOTHING;
  }

  #extend(type: string, body: Buffer): void {
    if (type === "L") this.#extension = { ...this.#extension, name: decodeLongName(body) };
    else if (type === "K") this.#extension = { ...this.#extension, link: decodeLongName(body) };
    else this.#extension = { ...this.#extension, ...this.#paxOf(body) };
  }

  #paxOf(body: Buffer): Extension {
    const records = decodePax(body);
    const size = records?.get("size");
    if (!records || (size !== undefined && !/^[0-9]{1,15}$/.test(size)))
      throw this.#broken("has a damaged PAX header");
    return definedOf({
      name: records.get("path"),
      link: records.get("linkpath"),
      size: size === undefined ? undefined : Number(size),
    });
  }

  #broken(what: string): LambdaPackError {
    return new LambdaPackError(
      "IMAGE_INVALID",
      `the layer's tar ${what}, near byte ${this.bytes} and after ${this.entries} entries`,
      {
        hint: "have the image built again",
      },
    );
  }
}

/** Without what is undefined, so that it does not hide what was said before. */
function definedOf({ name, link, size }: Extension): Extension {
  return {
    ...(name !== undefined && { name }),
    ...(link !== undefined && { link }),
    ...(size !== undefined && { size }),
  };
}
