import { chmodSync, mkdirSync, readdirSync, type Stats, statSync } from "node:fs";
import { makeDirectories } from "../blobs/make-directories.ts";
import { kindOf } from "../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../errors.ts";

const PRIVATE = 0o700;
/** Group and others may write. */
const WRITABLE = 0o022;
const STICKY = 0o1000;

/**
 * Makes sure that only this user can change what is in a directory, which is made where it is missing.
 * `marker` is a name that shows that the directory is this program's: then, or when it is empty, others lose the right to write.
 * @throws WRITE_FAILED for a directory of another user, or one that holds other things and others may write to.
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

/** As {@link keepPrivate}, for a directory that is this program's in any case: nobody else may look into it either. */
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

/** What is wrong with the owner or mode of a file that is trusted; undefined: nothing. Windows has neither. */
export function trustFault(found: Stats): string | undefined {
  if (process.platform === "win32") return undefined;
  return ownerFault(found) ?? ((found.mode & WRITABLE) === 0 ? undefined : "other users may write to it");
}

/** Root can change everything anyway. */
function ownerFault({ uid }: Stats): string | undefined {
  const user = process.getuid?.() ?? uid;
  return uid === user || uid === 0 ? undefined : `it belongs to the user ${uid}, not to ${user}`;
}

function untrusted(path: string, reason: string, command: string): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `${path} is not trusted: ${reason}`, { hint: command });
}
