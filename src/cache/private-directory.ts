import { chmodSync, mkdirSync, readdirSync, type Stats, statSync, utimesSync } from "node:fs";
import { makeDirectories } from "../blobs/disk.ts";
import { kindOf } from "../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../errors.ts";

const PRIVATE = 0o700;
/** Group and others may write. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

/**
 * Creates a directory that only this user can write to. Takes write permission from other users if
 * the directory is empty or holds `marker`, a file that shows that it is this program's.
 * @throws WRITE_FAILED for a directory of another user, or one with other files that other users
 * may write to.
 */
export function keepPrivate(path: string, marker: string): void {
  makeDirectories(path, PRIVATE);
  const found = statSync(path);
  const reason = ownerFault(found);
  if (reason !== undefined) throw untrusted(path, reason, `chown -R "$(id -u)" ${path}`);
  if (process.platform === "win32" || (found.mode & WRITABLE) === 0) return;
  const names = readdirSync(path);
  const isOurs = names.length === 0 || names.includes(marker);
  if (!isOurs || (found.mode & STICKY) !== 0)
    throw untrusted(path, "other users may write to it", `chmod go-w ${path}`);
  chmodSync(path, found.mode & 0o7777 & ~WRITABLE);
}

/** Creates a directory that no other user can read or write. */
export function keepSecret(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE });
    return;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  }
  const found = statSync(path);
  const reason = found.isDirectory() ? ownerFault(found) : `it is ${kindOf(found)}`;
  if (reason !== undefined) throw untrusted(path, reason, `rm -r ${path}`);
  if (process.platform !== "win32" && (found.mode & 0o777) !== PRIVATE) chmodSync(path, PRIVATE);
}

/** Returns what is wrong with a file's owner or mode; undefined: nothing. Windows has neither. */
export function trustFault(found: Stats): string | undefined {
  if (process.platform === "win32") return undefined;
  return ownerFault(found) ?? ((found.mode & WRITABLE) === 0 ? undefined : "other users may write to it");
}

/** Returns what is wrong with the owner. Root is accepted: it can change everything anyway. */
function ownerFault({ uid }: Stats): string | undefined {
  const user = process.getuid?.() ?? uid;
  return uid === user || uid === 0 ? undefined : `it belongs to the user ${uid}, not to ${user}`;
}

function untrusted(path: string, reason: string, command: string): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `${path} is not trusted: ${reason}`, { hint: command });
}

/**
 * Sets a file's mtime to now, by this machine's clock. Sessions and blobs are compared by it; the
 * file system's own times may be finer or come from a server's clock, and atime is often not
 * updated.
 */
export function stamp(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {} // the file is gone, or another user's
}
