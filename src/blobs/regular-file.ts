import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { type ErrorCode, hasCode, LambdaPackError, messageOf } from "../errors.ts";

/** 0 where the system has no such flag (Windows). */
const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;

interface ReadOptions {
  /** In bytes. */
  readonly maxBytes: number;
  /** False: a symbolic link is an error (ELOOP). Default true. */
  readonly followsLink?: boolean;
  /** Returns what is wrong with the file, before it is read; undefined: nothing. */
  readonly refuse?: (found: Stats) => string | undefined;
}

/** Thrown for a file that is not regular, too large, or refused. The message continues the path. */
export class UnfitFile extends Error {}

/**
 * Reads a small regular file without blocking: opening a FIFO returns at once, and a device is not
 * read.
 * @throws UnfitFile, or the system error.
 */
export function readRegularFile(path: string, { maxBytes, followsLink = true, refuse }: ReadOptions): Buffer {
  const descriptor = openSync(path, O_RDONLY | O_NONBLOCK | (followsLink ? 0 : O_NOFOLLOW));
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new UnfitFile(`is ${kindOf(found)}, not a regular file`);
    const reason = refuse?.(found);
    if (reason !== undefined) throw new UnfitFile(reason);
    // The size may be wrong: files in /proc have size 0, and a file may grow.
    const bytes = found.size > maxBytes ? undefined : readUpTo(descriptor, found.size, maxBytes + 1);
    if (bytes && bytes.length <= maxBytes) return bytes;
    throw new UnfitFile(`has more than the ${maxBytes} bytes that it may have`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads the first bytes of a regular file, without blocking and without following a link. Returns
 * no bytes if it cannot be read.
 */
export function readStart(path: string, length: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    const found = fstatSync(descriptor);
    if (!found.isFile()) return Buffer.alloc(0);
    return readUpTo(descriptor, Math.min(found.size, length - 1), length);
  } catch {
    return Buffer.alloc(0);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function readUpTo(descriptor: number, expected: number, limit: number): Buffer {
  const chunks: Buffer[] = [];
  let left = limit;
  for (let next = expected + 1; left > 0; next = 64 * 1024) {
    const buffer = Buffer.allocUnsafe(Math.min(next, left));
    const count = readSync(descriptor, buffer);
    if (count === 0) break;
    chunks.push(buffer.subarray(0, count));
    left -= count;
  }
  const [only] = chunks;
  return only && chunks.length === 1 ? only : Buffer.concat(chunks);
}

/** Names the kind of a file for messages: "a FIFO". */
export function kindOf(found: Stats): string {
  if (found.isSymbolicLink()) return "a symbolic link";
  if (found.isDirectory()) return "a directory";
  if (found.isFIFO()) return "a FIFO";
  if (found.isSocket()) return "a socket";
  return found.isFile() ? "a regular file" : "a device";
}

interface ConfigurationFile {
  /** In bytes. */
  readonly maxBytes: number;
  /** The code of the error. */
  readonly code: ErrorCode;
  /** What the user can do. */
  readonly hint?: string;
}

/**
 * Reads a file that configures this program; every reader of configuration uses it.
 * @returns undefined if there is no such file.
 * @throws LambdaPackError of the given code for a file that is unreadable, not regular or too
 * large.
 */
export function readConfigurationFile(
  path: string,
  { maxBytes, code, hint }: ConfigurationFile,
): Buffer | undefined {
  try {
    return readRegularFile(path, { maxBytes });
  } catch (cause) {
    if (hasCode(cause, "ENOENT", "ENOTDIR")) return undefined;
    if (cause instanceof UnfitFile) throw new LambdaPackError(code, `${path} ${cause.message}`, { hint });
    throw new LambdaPackError(code, `${path} cannot be read: ${messageOf(cause)}`, { hint, cause });
  }
}
