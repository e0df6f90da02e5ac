import { randomBytes } from "node:crypto";
import { constants, writeSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hasCode } from "../errors.ts";
import { pidScope, readPidScopeFacts } from "./pid-scope.ts";
import { writeFailed } from "./write-failed.ts";

/**
 * A process of another machine, or of another container, cannot be asked whether it lives: its
 * files stay this long.
 */
const FOREIGN_MS = 24 * 3600 * 1000;
const SCOPE = pidScope(readPidScopeFacts());
const PARTIAL = /^(.*)\.([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{12}\.partial$/s;

/** A name for something unfinished: it tells whose it is, so that a later run may remove it. */
export function partialName(stem: string): string {
  return `${stem}.${SCOPE}-${process.pid}-${randomBytes(6).toString("hex")}.partial`;
}

/** A file that becomes visible under its name only when it is whole. */
interface PartialFile {
  /** Where it is until it is committed. */
  readonly path: string;
  /** @throws WRITE_FAILED naming the path. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * As `write`, at once: a write that goes through the thread pool waits there until a layer's
   * blocks are deflated.
   */
  writeNow(bytes: Uint8Array): void;
  /**
   * Afterwards the bytes are on the disk under `path`, which is replaced. On the same file system
   * only.
   */
  commit(path: string): Promise<void>;
  /** Afterwards nothing is left. Does nothing after a commit. */
  discard(): Promise<void>;
}

/** Whether what is committed outlasts a loss of power, which costs a wait for the disk. */
export type Durability = "synced" | "unsynced";

/**
 * Who may read what is written: this user, or everybody whom the umask allows. No other user may
 * write, whatever the umask.
 */
export type Access = "private" | "shared";

export const FILE_MODE: Readonly<Record<Access, number>> = { private: 0o600, shared: 0o644 };
export const DIRECTORY_MODE: Readonly<Record<Access, number>> = { private: 0o700, shared: 0o755 };

export interface Writing {
  /** Default `synced`. */
  readonly durability?: Durability | undefined;
  /** Default `shared`. */
  readonly access?: Access | undefined;
}

/**
 * O_EXCL: a file or link that is there already is never written to. 0 where the system has no such
 * flag (Windows).
 */
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** @throws WRITE_FAILED naming the path. */
export async function createPartial(
  directory: string,
  stem: string,
  { durability = "synced", access = "shared" }: Writing = {},
): Promise<PartialFile> {
  const path = join(directory, partialName(stem));
  const refuse = (error: unknown): never => {
    throw writeFailed(path, error);
  };
  const handle = await open(path, NEW_FILE, FILE_MODE[access]).catch(refuse);
  let done = false;
  return {
    path,
    write: (bytes) => writeAll(handle, bytes).catch(refuse),
    writeNow(bytes) {
      try {
        writeAllNow(handle.fd, bytes);
      } catch (error) {
        refuse(error);
      }
    },
    async commit(target) {
      if (durability === "synced") await handle.sync().catch(refuse);
      await handle.close().catch(refuse);
      await rename(path, target).catch((error) => {
        throw writeFailed(target, error);
      });
      done = true;
    },
    async discard() {
      if (done) return;
      done = true;
      await closeQuietly(handle);
      await rm(path, { force: true });
    },
  };
}

/**
 * `writeFile` of a handle cuts into pieces of 512 KiB: 300 MiB took 380 ms so and 300 ms like this
 * (medians of 7).
 */
async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at);
    at += bytesWritten;
  }
}

function writeAllNow(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/** It may be closed already, and what was to be written is given up. */
async function closeQuietly(handle: FileHandle): Promise<void> {
  await handle.close().catch(() => undefined);
}

export const FILE_STEM = ".file";

interface Replacing extends Writing {
  /** Where it is written first, on the same file system. Default: beside it. */
  readonly directory?: string;
}

/** Replaces a small file in one step: a reader sees the old or the new, never a part. */
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
 * Removes what killed processes left unfinished in a directory: at once where their process is
 * gone, after a day where that cannot be known. Best effort: what cannot be removed stays for the
 * next time.
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
 * In a directory that others may write to, such as /tmp, they may have left something under our
 * names.
 */
async function isOwn(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found !== undefined && found.uid === (process.getuid?.() ?? found.uid);
}

/**
 * Tells whether the process that made the file at `path` is gone; `name` tells which one that was.
 */
export async function isAbandoned(name: string, path: string): Promise<boolean> {
  const [, , scope, pid] = PARTIAL.exec(name) ?? [];
  if (scope === SCOPE && !isAlive(Number(pid))) return true;
  return isOlderThan(path, FOREIGN_MS);
}

/**
 * Tells whether a file was last written more than `ms` milliseconds ago. The file system's own
 * clock has to agree: this machine's may be wrong by days, and a network file system has another
 * one.
 */
export async function isOlderThan(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || Date.now() - found.mtimeMs <= ms) return false;
  const now = await fileSystemTime(dirname(path)).catch(() => undefined);
  return now !== undefined && now - found.mtimeMs > ms;
}

/** Milliseconds since 1970, as the file system of a directory counts them. */
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
