import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { hasCode } from "../errors.ts";
import { fileChanged, unreadable } from "./encode/source.ts";

/** Tells a directory from every other one that exists (stat(2): st_dev, st_ino). */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

export function identityOf({ dev, ino }: Stats): Identity {
  return { dev, ino };
}

/** A directory of the source while it is listed. */
export interface OpenDirectory {
  /**
   * Leads to what is in it: through its descriptor where the system can, so that a link put in
   * place of a parent changes nothing.
   */
  readonly path: string;
  /** @throws FILE_CHANGED where the path that was listed has another directory by now. */
  verify(): void;
  close(): void;
}

const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = constants;

/**
 * Linux: where open files have paths that stay true wherever they are moved (proc_pid_fd(5));
 * undefined on other systems. The number, which is what /proc calls this process, makes each use 10
 * % faster than /proc/self.
 */
export function descriptorPaths(): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return `/proc/${readlinkSync("/proc/self")}/fd`;
  } catch {
    return undefined;
  }
}

/**
 * Opens the directory at `source`, which has to be the one that was `found` there. Without
 * `descriptors`, as {@link descriptorPaths} gives them, its path is compared now and in `verify`.
 * @throws FILE_CHANGED, FILE_UNREADABLE.
 */
export function openDirectory(
  source: string,
  found: Identity,
  descriptors: string | undefined,
): OpenDirectory {
  return descriptors === undefined ? openPath(source, found) : openDescriptor(source, found, descriptors);
}

function openDescriptor(source: string, found: Identity, descriptors: string): OpenDirectory {
  const descriptor = attempt(source, () => openSync(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const close = () => closeSync(descriptor);
  try {
    checkSame(source, found, fstatSync(descriptor));
  } catch (error) {
    close();
    throw error;
  }
  return { path: `${descriptors}/${descriptor}`, verify: () => undefined, close };
}

function openPath(source: string, found: Identity): OpenDirectory {
  const verify = () =>
    checkSame(
      source,
      found,
      attempt(source, () => lstatSync(source)),
    );
  verify();
  return { path: source, verify, close: () => undefined };
}

function checkSame(source: string, before: Identity, now: Identity): void {
  if (before.dev !== now.dev || before.ino !== now.ino) throw fileChanged(source, "it was replaced");
}

/**
 * What a call on `source` gives. @throws FILE_CHANGED where it is no longer what it was,
 * FILE_UNREADABLE.
 */
export function attempt<T>(source: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (hasCode(error, "ENOTDIR", "ELOOP")) throw fileChanged(source, "it was replaced");
    throw hasCode(error, "ENOENT") ? fileChanged(source, "it is gone") : unreadable(source, error);
  }
}
