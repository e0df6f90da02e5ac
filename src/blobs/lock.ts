import { rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { hasCode, LambdaPackError } from "../errors.ts";
import { writeFailed } from "./disk.ts";
import { FILE_MODE, isAbandoned, isOlderThan, partialName } from "./partial.ts";
import { readRegularFile } from "./regular-file.ts";

/** Work under a lock takes milliseconds, so a longer wait means that something is wrong. */
const PATIENCE_MS = 20_000;
const RETRY_MS = 10;
/** Milliseconds after which an empty lock is abandoned: its owner was killed before writing. */
const NAMELESS_MS = 2_000;

/**
 * Runs `work` while nothing else, in this process or another, holds the lock at `path`. Takes over
 * the lock of a process that is gone.
 * @throws WRITE_FAILED if it is still held after 20 s.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const owner = partialName("lock");
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await take(path, owner))) {
    if (Date.now() > deadline) throw taken(path);
    signal?.throwIfAborted();
    await wait(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: "wx", mode: FILE_MODE.shared });
    return true;
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw writeFailed(path, error);
    await takeOver(path, owner);
    return false;
  }
}

/** Moves an abandoned lock away, and back if another process has taken it over meanwhile. */
async function takeOver(path: string, owner: string): Promise<void> {
  const holder = ownerIn(path);
  if (holder === undefined || !(await isLeft(path, holder))) return;
  const aside = `${path}.${owner}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw writeFailed(path, error);
  }
  if (ownerIn(aside) === holder) await rm(aside, { force: true });
  else await rename(aside, path);
}

/** Returns undefined if it cannot be read or is no lock: it then stays held. */
function ownerIn(path: string): string | undefined {
  try {
    return readRegularFile(path, { maxBytes: 1024, followsLink: false }).toString("utf8");
  } catch {
    return undefined;
  }
}

async function isLeft(path: string, holder: string): Promise<boolean> {
  return holder === "" ? isOlderThan(path, NAMELESS_MS) : isAbandoned(holder, path);
}

function taken(path: string): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `${path} is held by another process`, {
    hint: "wait until it is done; if no lambda-pack runs any more, remove that file",
  });
}
