import { constants, fstatSync, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Writable } from "node:stream";
import { hasCode, LambdaPackError } from "../errors.ts";
import { writeFailed } from "./disk.ts";
import { createPartial } from "./partial.ts";
import { kindOf } from "./regular-file.ts";

/** A file that a user named for a result. */
interface OutputFile {
  /** @throws WRITE_FAILED naming the path. */
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the file. */
  commit(): Promise<void>;
  /** Stops writing. A regular file keeps its old content. Does nothing after a commit. */
  discard(): Promise<void>;
}

/**
 * Opens the file for a result. A regular file is replaced in one step, by `commit`; a FIFO, a
 * terminal, /dev/null or /dev/stdout is written to and stays what it is.
 * @throws WRITE_FAILED for a directory, a disk or a socket, or if the file cannot be written.
 */
export async function createOutput(path: string): Promise<OutputFile> {
  const found = await checkOutput(path);
  const standard = found && standardStream(found);
  if (standard) return { ...writerTo(path, standard), commit: async () => {}, discard: async () => {} };
  if (found && !found.isFile()) return openSpecial(path, found);
  const partial = await createPartial(dirname(path), basename(path));
  return {
    write: partial.write,
    commit: () => partial.commit(path),
    discard: partial.discard,
  };
}

/** Writes a whole result. @throws WRITE_FAILED. */
export async function writeOutput(path: string, text: string): Promise<void> {
  const output = await createOutput(path);
  try {
    await output.write(Buffer.from(text));
    await output.commit();
  } finally {
    await output.discard();
  }
}

/**
 * Checks, before any work is done, that a result can be written there. Returns what is there now.
 * @throws WRITE_FAILED.
 */
export async function checkOutput(path: string): Promise<Stats | undefined> {
  const found = await stat(path).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw writeFailed(path, error);
  });
  if (!found) return undefined;
  const isStandard = standardStream(found) !== undefined;
  if (found.isFile() || found.isFIFO() || found.isCharacterDevice() || isStandard) return found;
  const kind = found.isBlockDevice() ? "a disk" : kindOf(found);
  throw new LambdaPackError("WRITE_FAILED", `cannot write ${path}: it is ${kind}`, { hint: "name a file" });
}

/**
 * Returns the stream of this process that the path leads to, such as /dev/stdout: its file must not
 * be truncated or replaced.
 */
function standardStream(found: Stats): Writable | undefined {
  return [process.stdout, process.stderr].find((_, index) => isSame(found, index + 1));
}

function isSame({ dev, ino }: Stats, descriptor: number): boolean {
  try {
    const open = fstatSync(descriptor);
    return open.dev === dev && open.ino === ino;
  } catch {
    return false; // it is closed
  }
}

function writerTo(path: string, stream: Writable): Pick<OutputFile, "write"> {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(writeFailed(path, error)) : resolve()));
      }),
  };
}

async function openSpecial(path: string, found: Stats): Promise<OutputFile> {
  const refuse = (error: unknown): never => {
    throw hasCode(error, "ENXIO") ? noReader(path) : writeFailed(path, error);
  };
  // Opening a FIFO that no process reads would block. The probe fails instead; if it succeeds,
  // there is a reader, and the next open does not block.
  const probe = found.isFIFO()
    ? await open(path, constants.O_WRONLY | constants.O_NONBLOCK).catch(refuse)
    : undefined;
  const handle = await open(path, constants.O_WRONLY | constants.O_NOCTTY)
    .catch(refuse)
    .finally(() => probe?.close());
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close().catch(refuse);
    isOpen = false;
  };
  return { write: (bytes) => handle.writeFile(bytes).catch(refuse), commit: close, discard: close };
}

function noReader(path: string): LambdaPackError {
  return new LambdaPackError("WRITE_FAILED", `cannot write ${path}: it is a FIFO that no process reads`, {
    hint: `start the process that reads it first, for example: cat ${path} &`,
  });
}
