import { type Digest, digestOf } from "../oci/digest.ts";
import type { Entry } from "../tar/entry.ts";
import { reusedBlocks } from "./encode/blocks.ts";
import { digestBeside } from "./encode/digest-beside.ts";
import { encoderOf } from "./encode/encoder.ts";
import { sumHere } from "./encode/sums.ts";
import { type TarOptions, tar } from "./encode/tar.ts";

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
 * The diffId that `pack` gives for these entries, which may be gone through twice. Reads every file, compresses nothing.
 * @throws FILE_CHANGED, FILE_UNREADABLE.
 */
export async function diffIdOf(entries: Iterable<Entry>, options: TarOptions): Promise<Digest> {
  return (await digestBeside(entries, options)) ?? (await digestHere(entries, options));
}

async function digestHere(entries: Iterable<Entry>, options: TarOptions): Promise<Digest> {
  const blocks = reusedBlocks;
  const sums = sumHere();
  for (const block of tar(entries, { ...options, blocks })) {
    await sums.add(block);
    blocks.give(block);
  }
  return (await sums.end()).digest;
}

/** Names files in this state (`SourceFiles.state`, file-table.ts): while it stays the same, so does the fingerprint. */
export function signatureOf(state: Digest, { level, mtime }: FingerprintOptions): Digest {
  return digestOf(`${encoderOf(level)} ${mtime.getTime()} ${state}`);
}
