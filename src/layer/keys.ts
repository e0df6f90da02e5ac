import { createDigester, type Digest, digestOf } from "../oci/digest.ts";
import { type Entry, RACY_MS } from "../tar/entry.ts";
import { giveBlock } from "./encode/blocks.ts";
import { encodingOf } from "./encode/encoder.ts";
import { WorkerHasher } from "./encode/hasher.ts";
import { QUEUE_DEPTH } from "./encode/limits.ts";
import { type TarOptions, tar } from "./encode/tar.ts";

/**
 * Returns a key for the bytes of a layer before they exist: the diffID covers names, kinds, modes,
 * links, contents and mtimes, and the encoding covers the compression. The same files give the same
 * key on every machine.
 */
export function contentKey(diffId: Digest, level: number): Digest {
  return digestOf(`${encodingOf(level)} ${diffId}`);
}

/**
 * Computes the diffID that `pack` gives for these entries. Reads every file and compresses nothing.
 * @throws FILE_CHANGED, FILE_UNREADABLE.
 */
export async function diffIdOf(entries: Iterable<Entry>, options: TarOptions): Promise<Digest> {
  const hasher = new WorkerHasher();
  const hashing: Promise<void>[] = [];
  try {
    for (const block of tar(entries, options)) {
      const hashed = hasher.add(block).then(() => giveBlock(block));
      hashed.catch(() => undefined); // reported where it is awaited
      hashing.push(hashed);
      if (hashing.length > QUEUE_DEPTH) await hashing.shift();
    }
    const { digest } = await hasher.end();
    return digest;
  } finally {
    hasher.drop();
  }
}

interface StatKeyOptions {
  /** Deflate level. */
  readonly level: number;
  /** The mtime of all entries. */
  readonly mtime: Date;
  /** When the files were scanned, in milliseconds since 1970. */
  readonly scannedAtMs: number;
}

/**
 * Returns a key for the state of these files on this machine, without reading them: while it is the
 * same, so is the content key. undefined if the state proves nothing, because the version of a file
 * is not known, or the file was changed later than {@link RACY_MS} before `scannedAtMs`, so that
 * another write might not change its times (git, Documentation/technical/racy-git.txt).
 */
export function statKey(entries: Iterable<Entry>, options: StatKeyOptions): Digest | undefined {
  const { level, mtime, scannedAtMs } = options;
  const digester = createDigester();
  const before = scannedAtMs - RACY_MS;
  let lines = `${encodingOf(level)} ${mtime.getTime()}\n`;
  for (const entry of entries) {
    if (entry.kind === "file" && !isSettled(entry, before)) return undefined;
    lines += lineOf(entry);
    if (lines.length < LINES_LENGTH) continue;
    digester.update(Buffer.from(lines));
    lines = "";
  }
  digester.update(Buffer.from(lines));
  return digester.digest();
}

/** Characters that are hashed at once. */
const LINES_LENGTH = 64 * 1024;

type FileOf<E> = Extract<E, { readonly kind: "file" }>;

function isSettled({ version }: FileOf<Entry>, before: number): boolean {
  return version !== undefined && version.mtimeMs < before && version.ctimeMs < before;
}

/** No path contains the characters 0 and 10 (names.ts). */
function lineOf(entry: Entry): string {
  const { kind, path } = entry;
  if (kind === "symlink") return `${kind} ${path}\0${entry.target}\n`;
  if (kind === "directory") return `${kind} ${entry.mode} ${path}\n`;
  const { mode, size, source, version, edits } = entry;
  const { inode = 0, mtimeMs = 0, ctimeMs = 0 } = version ?? {};
  return `${kind} ${mode} ${size} ${inode} ${mtimeMs} ${ctimeMs} ${path}\0${source}${edits ? JSON.stringify(edits) : ""}\n`;
}
