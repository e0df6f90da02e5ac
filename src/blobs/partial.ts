import { createHash, randomBytes } from "node:crypto";
import { constants, readFileSync, readlinkSync, writeSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname, uptime } from "node:os";
import { dirname, join } from "node:path";
import { hasCode } from "../errors.ts";
import { writeFailed } from "./disk.ts";

/**
 * It is not known whether a process of another machine or container still runs: its files are kept
 * this long.
 */
const FOREIGN_MS = 24 * 3600 * 1000;
const SCOPE = pidScope(readPidScopeFacts());
const PARTIAL = /^(.*)\.([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{12}\.partial$/s;

/** Returns a name for an unfinished file, with the process, so that a later run can remove it. */
export function partialName(stem: string): string {
  return `${stem}.${SCOPE}-${process.pid}-${randomBytes(6).toString("hex")}.partial`;
}

/** Whether a committed file survives a power failure, for which the commit waits for the disk. */
export type Durability = "synced" | "unsynced";

/** Who may read the files: this user, or all that the umask allows. Others may never write. */
export type Access = "private" | "shared";

export const FILE_MODE: Readonly<Record<Access, number>> = { private: 0o600, shared: 0o644 };
export const DIRECTORY_MODE: Readonly<Record<Access, number>> = { private: 0o700, shared: 0o755 };

export interface Writing {
  /** Default `synced`. */
  readonly durability?: Durability | undefined;
  /** Default `shared`. */
  readonly access?: Access | undefined;
}

/** O_EXCL: an existing file or link is never written to. Windows has no O_NOFOLLOW. */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/**
 * Creates an unfinished file in `directory`, which becomes visible under its name only when it is
 * complete. It and its methods throw WRITE_FAILED naming the path.
 */
export async function createPartial(
  directory: string,
  stem: string,
  { durability = "synced", access = "shared" }: Writing = {},
) {
  const path = join(directory, partialName(stem));
  const refuse = (error: unknown): never => {
    throw writeFailed(path, error);
  };
  const handle = await open(path, NEW_FILE, FILE_MODE[access]).catch(refuse);
  let done = false;
  return {
    /** The path until it is committed. */
    path,
    write: (bytes: Uint8Array): Promise<void> => writeAll(handle, bytes).catch(refuse),
    /** Writes synchronously: in the thread pool it would wait until a layer's blocks are deflated. */
    writeNow(bytes: Uint8Array): void {
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(handle.fd, bytes, at);
      } catch (error) {
        refuse(error);
      }
    },
    /** Moves the complete file to `target`, on the same file system, and replaces what is there. */
    async commit(target: string): Promise<void> {
      if (durability === "synced") await handle.sync().catch(refuse);
      await handle.close().catch(refuse);
      await rename(path, target).catch((error) => {
        throw writeFailed(target, error);
      });
      done = true;
    },
    /** Removes the file. Does nothing after a commit. */
    async discard(): Promise<void> {
      if (done) return;
      done = true;
      await handle.close().catch(() => undefined); // it may be closed already
      await rm(path, { force: true });
    },
  };
}

/**
 * Writes in one piece: `writeFile` of a handle took 380 ms for 300 MiB in pieces of 512 KiB, and
 * this 300 ms (medians of 7).
 */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at);
    at += bytesWritten;
  }
}

export const FILE_STEM = ".file";

interface Replacing extends Writing {
  /** The directory of the unfinished file, on the same file system. Default: that of the file. */
  readonly directory?: string;
}

/** Replaces a small file in one step: a reader sees the old or the new text, never a part. */
export async function replaceFile(
  path: string,
  text: string,
  { directory = dirname(path), ...writing }: Replacing = {},
): Promise<void> {
  const partial = await createPartial(directory, FILE_STEM, writing);
  try {
    await partial.write(Buffer.from(text));
    await partial.commit(path);
  } finally {
    await partial.discard();
  }
}

/**
 * Removes unfinished files that killed processes left in a directory: at once if their process is
 * gone, after a day if that is not known. A file that cannot be removed is left for the next run.
 */
export async function sweepPartials(directory: string, isStem: (stem: string) => boolean): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const [, stem] = PARTIAL.exec(name) ?? [];
    const path = join(directory, name);
    if (stem === undefined || !isStem(stem) || !(await isOwn(path)) || !(await isAbandoned(name, path)))
      continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/**
 * Returns whether the file belongs to this user: in a shared directory such as /tmp, other users
 * may have created files with such names.
 */
async function isOwn(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.uid === (process.getuid?.() ?? found.uid);
}

/** Returns whether the process that made the file is gone. `name` contains its process id. */
export async function isAbandoned(name: string, path: string): Promise<boolean> {
  const [, , scope, pid] = PARTIAL.exec(name) ?? [];
  if (scope === SCOPE && !isAlive(Number(pid))) return true;
  return isOlderThan(path, FOREIGN_MS);
}

/**
 * Returns whether a file was last written more than `ms` milliseconds ago. The file system's own
 * clock has to agree: this machine's may be wrong by days, and a network file system has another.
 */
export async function isOlderThan(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || Date.now() - found.mtimeMs <= ms) return false;
  const now = await fileSystemTime(dirname(path)).catch(() => undefined);
  return now !== undefined && now - found.mtimeMs > ms;
}

/** Returns the time of a directory's file system, in milliseconds since 1970. */
async function fileSystemTime(directory: string): Promise<number> {
  const path = join(directory, partialName(FILE_STEM));
  try {
    await writeFile(path, "", { flag: "wx", mode: FILE_MODE.private });
    return (await stat(path)).mtimeMs;
  } finally {
    await rm(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, "EPERM");
  }
}

/** What distinguishes two systems or containers in which a process id means different processes. */
export interface PidScopeFacts {
  readonly hostname: string;
  /** As Linux names it, `pid:[4026531836]`; undefined on systems without PID namespaces. */
  readonly pidNamespace: string | undefined;
  /** Linux's id of this boot; elsewhere the minute in which the system was started. */
  readonly boot: string;
}

/**
 * Returns 8 hex digits that two processes share only if a process id means the same to both. Two
 * containers may have the same host name, and a process 7 each.
 */
export function pidScope({ hostname: host, pidNamespace = "", boot }: PidScopeFacts): string {
  return createHash("sha256").update([host, pidNamespace, boot].join("\n")).digest("hex").slice(0, 8);
}

export function readPidScopeFacts(): PidScopeFacts {
  return {
    hostname: hostname(),
    pidNamespace: orUndefined(() => readlinkSync("/proc/self/ns/pid")),
    boot: orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? bootMinute(),
  };
}

/** Returns the minute of the boot. Processes that round differently are foreign, which is safe. */
function bootMinute(): string {
  return String(Math.round((Date.now() / 1000 - uptime()) / 60));
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
