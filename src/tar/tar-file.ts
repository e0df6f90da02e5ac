import { type FileHandle, open } from "node:fs/promises";
import { LambdaPackError } from "../errors.ts";
import { BLOCK, decodeHeader, decodePax, type TarHeader } from "./tar-header.ts";

/** A file of the archive, where its bytes are, or a link to another name in it. */
export type TarMember =
  | { readonly kind: "file"; readonly offset: number; readonly size: number }
  | { readonly kind: "symlink" | "hardlink"; readonly target: string };

/** An image has a few hundred members at most; each is held in memory. */
const MAX_MEMBERS = 100_000;
const MAX_EXTENSION = 1024 * 1024;

/**
 * The members of a tar archive by name, without `./` before it; the last of a name counts, as when unpacking. Only headers are read.
 * Reads ustar, PAX (path, linkpath, size), GNU long names and base-256 sizes.
 * @throws LAYOUT_INVALID naming the archive and the byte.
 */
export async function listTar(path: string, signal?: AbortSignal): Promise<ReadonlyMap<string, TarMember>> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const members = new Map<string, TarMember>();
    for await (const [name, member] of membersOf(handle, path, size)) {
      signal?.throwIfAborted();
      if (members.size >= MAX_MEMBERS) throw broken(path, `has more than ${MAX_MEMBERS} members`);
      members.set(name, member);
    }
    return members;
  } finally {
    await handle.close();
  }
}

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** What extension headers say of the member that follows them. */
interface Extension {
  readonly name?: string;
  readonly link?: string;
  readonly size?: number;
}

async function* membersOf(
  handle: FileHandle,
  path: string,
  end: number,
): AsyncIterable<readonly [string, TarMember]> {
  let extension: Extension = {};
  let at = 0;
  for (;;) {
    const header = await headerAt(handle, path, at, end);
    if (!header) return;
    const size = sizeOf(header, extension);
    const place = { offset: at + BLOCK, size };
    if (place.offset + size > end) throw broken(path, `is cut off within ${header.name}`);
    at = place.offset + Math.ceil(size / BLOCK) * BLOCK;
    if (isExtension(header)) {
      extension = { ...extension, ...(await readExtension(handle, path, header.type, place)) };
      continue;
    }
    const member = memberOf(header, place, extension);
    if (member) yield [plain(extension.name ?? header.name), member];
    extension = {};
  }
}

/** undefined at the end: a block of zeros, or where the file ends. */
async function headerAt(
  handle: FileHandle,
  path: string,
  at: number,
  end: number,
): Promise<TarHeader | undefined> {
  if (at === end && at > 0) return undefined;
  const block = await readExactly(handle, at, BLOCK);
  if (at > 0 && block.every((byte) => byte === 0)) return undefined;
  const header = decodeHeader(block);
  if (header) return header;
  throw broken(path, at === 0 ? "is no tar archive" : `is damaged or cut off at byte ${at}`);
}

function sizeOf(header: TarHeader, { size }: Extension): number {
  if (!hasBody(header)) return 0;
  return isExtension(header) ? header.size : (size ?? header.size);
}

/** Links, devices and directories have none, whatever their size field says. */
function hasBody({ type }: TarHeader): boolean {
  return !"123456".includes(type);
}

function isExtension({ type }: TarHeader): boolean {
  return "xLK".includes(type);
}

async function readExtension(
  handle: FileHandle,
  path: string,
  type: string,
  { offset, size }: Place,
): Promise<Extension> {
  const body = size > MAX_EXTENSION ? undefined : await readExactly(handle, offset, size);
  const extension = body && extensionOf(type, body);
  if (extension) return extension;
  throw broken(path, `is damaged at byte ${offset}`);
}

function extensionOf(type: string, body: Buffer): Extension | undefined {
  if (type === "L") return { name: untilZero(body) };
  if (type === "K") return { link: untilZero(body) };
  const records = decodePax(body);
  const size = records?.get("size");
  if (!records || (size !== undefined && !/^[0-9]{1,15}$/.test(size))) return undefined;
  const name = records.get("path");
  const link = records.get("linkpath");
  return {
    ...(name !== undefined && { name }),
    ...(link !== undefined && { link }),
    ...(size !== undefined && { size: Number(size) }),
  };
}

function memberOf({ type, link }: TarHeader, place: Place, extension: Extension): TarMember | undefined {
  if (type === "0" || type === "7") return { kind: "file", ...place };
  if (type === "1") return { kind: "hardlink", target: extension.link ?? link };
  if (type === "2") return { kind: "symlink", target: extension.link ?? link };
  return undefined;
}

/** `./manifest.json` and `manifest.json` are one. */
export function plain(name: string): string {
  return name.replace(/^(\.?\/)+/, "");
}

function untilZero(body: Buffer): string {
  const zero = body.indexOf(0);
  return body.toString("utf8", 0, zero < 0 ? body.length : zero);
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) return buffer;
    done += bytesRead;
  }
  return buffer;
}

function broken(path: string, what: string): LambdaPackError {
  return new LambdaPackError("LAYOUT_INVALID", `${path} ${what}`, {
    hint: "make or copy the archive again; a compressed one has to be unpacked first (gunzip)",
  });
}
