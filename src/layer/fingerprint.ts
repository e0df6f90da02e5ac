import { createDigester, type Digest, digestOf } from "../oci/digest.ts";
import { reusedBlocks } from "./encode/blocks.ts";
import { encoderOf } from "./encode/encoder.ts";
import { HASHED_AT_ONCE } from "./encode/limits.ts";
import { SumsBeside } from "./encode/sums.ts";
import { type TarOptions, tar } from "./encode/tar.ts";
import { type Entry, type FileEntry, RACY_MS } from "./entry.ts";

/** What decides over a layer's bytes beside its entries. */
export interface FingerprintOptions {
  readonly level: number;
  /** The one time of all entries. */
  readonly mtime: Date;
}

/**
 * Names the bytes of a layer before they are there: what is in it, which its diffId tells (names, kinds, modes, links, contents, times),
 * and what compresses it. The same files give the same fingerprint on every machine.
 */
export function fingerprintOf(diffId: Digest, level: number): Digest {
  return digestOf(`${encoderOf(level)} ${diffId}`);
}

/**
 * The diffId that `pack` gives for these entries. Reads every file, compresses nothing.
 * @throws FILE_CHANGED, FILE_UNREADABLE.
 */
export async function diffIdOf(entries: Iterable<Entry>, options: TarOptions): Promise<Digest> {
  const blocks = reusedBlocks;
  const sums = new SumsBeside();
  const line: Promise<void>[] = [];
  let hasEnded = false;
  try {
    for (const block of tar(entries, { ...options, blocks })) {
      const summed = sums.add(block).then(() => blocks.give(block));
      summed.catch(() => undefined); // whoever awaits its turn reports it
      line.push(summed);
      if (line.length >= HASHED_AT_ONCE) await line.shift();
    }
    hasEnded = true;
    const { digest } = await sums.end();
    return digest;
  } finally {
    if (!hasEnded) sums.drop();
  }
}

/**
 * Names the state of the files on this machine: while it stays the same, so does the fingerprint. Reads nothing.
 * undefined where it would prove nothing: a file was touched less than {@link RACY_MS} before `seenAt`, when the files were looked at,
 * so that a later write might not show in its times (git, Documentation/technical/racy-git.txt); or it lies in the future; or its times are not known.
 */
export function signatureOf(
  entries: Iterable<Entry>,
  { level, mtime }: FingerprintOptions,
  seenAt: number,
): Digest | undefined {
  const digester = createDigester();
  digester.update(Buffer.from(`${encoderOf(level)} ${mtime.getTime()}\n`));
  const numbers = new Float64Array(AT_ONCE * NUMBERS);
  let names = "";
  let count = 0;
  const add = (): void => {
    digester.update(Buffer.from(names));
    digester.update(new Uint8Array(numbers.buffer));
    numbers.fill(0);
    [names, count] = ["", 0];
  };
  for (const entry of entries) {
    if (entry.kind === "file" && !isSettled(entry, seenAt - RACY_MS)) return undefined;
    putNumbers(numbers, count * NUMBERS, entry);
    names += namesOf(entry);
    if (++count === AT_ONCE) add();
  }
  add();
  return digester.digest();
}

function isSettled({ version }: FileEntry, before: number): boolean {
  return version !== undefined && version.mtimeMs < before && version.ctimeMs < before;
}

/** Entries whose names and numbers are hashed together. */
const AT_ONCE = 4096;

/** How many numbers there are for an entry; as they are, since 21,000 times as texts they take 20 ms. */
const NUMBERS = 5;

/** Into zeros, at `at`. */
function putNumbers(numbers: Float64Array, at: number, entry: Entry): void {
  if (entry.kind === "symlink") return;
  numbers[at] = entry.mode;
  if (entry.kind === "directory") return;
  const { size, version } = entry;
  numbers[at + 1] = size;
  numbers[at + 2] = version?.mtimeMs ?? 0;
  numbers[at + 3] = version?.ctimeMs ?? 0;
  numbers[at + 4] = version?.inode ?? 0;
}

/** Names have no control characters, so no two lists of entries give the same text. */
function namesOf(entry: Entry): string {
  if (entry.kind === "symlink") return `\u0001${entry.path}\0${entry.target}\n`;
  return entry.kind === "directory" ? `\u0002${entry.path}\n` : `${entry.path}\0${entry.source}\n`;
}
