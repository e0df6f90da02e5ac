import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { FileEntry } from "./entry.ts";

/** Bytes read at once. */
const CHUNK = 256 * 1024;

// Not following and not blocking: what was a file may be a link or a FIFO by now. Windows has neither flag.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * Exactly `entry.size` bytes, each chunk in memory of its own.
 * Synchronous: reading 22,000 small files takes 0.2 s this way and 1.5 s through promises.
 * @throws FILE_CHANGED when the file is no longer what was collected, FILE_UNREADABLE when it may not be read.
 */
export function* readSource(entry: FileEntry): Generator<Buffer> {
  const descriptor = open(entry);
  try {
    const before = fstatSync(descriptor);
    checkSame(entry, before);
    yield* readExactly(descriptor, entry);
    if (entry.size > CHUNK) checkUntouched(entry, before, fstatSync(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** Asks for one byte more than there should be, so that growth shows without another call. */
function* readExactly(descriptor: number, entry: FileEntry): Generator<Buffer> {
  let left = entry.size;
  for (;;) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, left + 1));
    const count = read(descriptor, buffer, entry);
    if (count > left) throw changed(entry, "it grew");
    if (count === 0 && left > 0) throw changed(entry, "it shrank");
    if (count > 0) yield buffer.subarray(0, count);
    left -= count;
    if (left === 0 && count < buffer.length) return;
  }
}

function open(entry: FileEntry): number {
  try {
    return openSync(entry.source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ELOOP: a link. ENXIO: a socket.
    if (hasCode(error, "ENOENT", "ENOTDIR")) throw changed(entry, "it is gone");
    if (hasCode(error, "ELOOP", "ENXIO")) throw changed(entry, "it is no longer a file");
    throw unreadable(entry.source, error);
  }
}

function read(descriptor: number, buffer: Buffer, entry: FileEntry): number {
  try {
    return readSync(descriptor, buffer, 0, buffer.length, null);
  } catch (error) {
    throw unreadable(entry.source, error);
  }
}

function checkSame(entry: FileEntry, stats: Stats): void {
  if (!stats.isFile()) throw changed(entry, "it is no longer a file");
  if (entry.version && stats.ino !== entry.version.inode) throw changed(entry, "it was replaced");
  if (stats.size > entry.size) throw changed(entry, "it grew");
  if (stats.size < entry.size) throw changed(entry, "it shrank");
  if (entry.version) checkUntouched(entry, entry.version, stats);
}

function checkUntouched(entry: FileEntry, before: { readonly mtimeMs: number }, after: Stats): void {
  if (before.mtimeMs !== after.mtimeMs) throw changed(entry, "it was written to");
}

function changed({ source }: FileEntry, what: string): LambdaPackError {
  return fileChanged(source, what);
}

/** FILE_CHANGED. */
export function fileChanged(path: string, what: string): LambdaPackError {
  return new LambdaPackError("FILE_CHANGED", `${path} changed while it was packed: ${what}`, {
    hint: "wait until nothing writes to the folder, then build again",
  });
}

/** FILE_UNREADABLE with the system's reason. */
export function unreadable(path: string, cause: unknown): LambdaPackError {
  const reason = cause instanceof Error ? cause.message.replace(/,.*$/s, "") : String(cause);
  return new LambdaPackError("FILE_UNREADABLE", `cannot read ${path}: ${reason}`, {
    hint: "make it readable for this user, or name it in the ignore file",
    cause,
  });
}
