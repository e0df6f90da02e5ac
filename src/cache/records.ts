import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { replaceFile } from "../blobs/partial.ts";
import { readRegularFile, UnfitFile } from "../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Descriptor } from "../oci/content.ts";
import { type Digest, digestOf, hexOf, parseDigest } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { count, field, items, type Json, parseJson, string } from "../oci/json.ts";
import { trustFault } from "./private-directory.ts";

/** A layer: its name in the image, and the fingerprint that it is cached under. */
export interface NamedLayer {
  readonly name: string;
  readonly fingerprint: Digest;
}

const MAX_LAYERS = 1000;

/**
 * The kinds of records, each a directory of the cache. Every record has the descriptor of a blob
 * and is removed when the cache no longer has that blob; these functions parse what else it has.
 */
const KINDS = {
  /** By fingerprint; `bytes` is the uncompressed size of the layer's files. */
  layers: (json: Json) => ({
    diffId: digestIn(json, "diffId"),
    files: count(field(json, "files")),
    bytes: count(field(json, "bytes")),
  }),
  /** By a state of files on this machine; the blob is their layer. */
  signatures: (json: Json) => ({ fingerprint: digestIn(json, "fingerprint") }),
  /** By reference; the blob is the manifest. */
  references: () => ({}),
  /** By image and plan: JSON that only the check reads; the blob is the last layer. */
  findings: (json: Json) => ({ findings: string(field(json, "findings")) }),
  /** By the integrity in a lock file; the blob is the package's archive. */
  packages: () => ({}),
  /** By installation of dependencies; the blob is the last of its layers. */
  installations: (json: Json): { readonly layers: readonly NamedLayer[] } => ({
    layers: items(field(json, "layers"), MAX_LAYERS).map((layer) => ({
      name: string(field(layer, "name")),
      fingerprint: digestIn(layer, "fingerprint"),
    })),
  }),
  /** By registry and blob: the repository that the blob was sent to. */
  holders: (json: Json) => ({ repository: string(field(json, "repository")) }),
};

type Kind = keyof typeof KINDS;
type RecordOf<K extends Kind> = { readonly descriptor: Descriptor } & Readonly<ReturnType<(typeof KINDS)[K]>>;

export const RECORD_KINDS: readonly string[] = Object.keys(KINDS);

function digestIn(json: Json, name: string): Digest {
  return parseDigest(string(field(json, name)));
}

/** Opens the records of one kind: facts about blobs by key, each in its own file, without a lock. */
export function openRecords<K extends Kind>(root: string, kind: K) {
  const pathOf = (key: string): string => join(root, kind, recordName(key));
  const parsed = (json: Json): RecordOf<K> | undefined => {
    try {
      const descriptor = parseDescriptor(field(json, "descriptor"));
      return { descriptor, ...KINDS[kind](json) } as RecordOf<K>;
    } catch (error) {
      if (isDamage(error)) return undefined; // another version of lambda-pack wrote it
      throw error;
    }
  };
  return {
    /** Returns undefined if there is none. Removes a damaged record. */
    async find(key: string): Promise<RecordOf<K> | undefined> {
      const path = pathOf(key);
      const record = readRecord(path);
      if (record === "missing") return undefined;
      const value = record === "damaged" ? undefined : parsed(record.value);
      if (value !== undefined) return value;
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
      return undefined;
    },
    async set(key: string, value: RecordOf<K>): Promise<void> {
      const { mediaType, digest, size } = value.descriptor;
      const line = JSON.stringify({ key, value: { ...value, descriptor: { mediaType, digest, size } } });
      await replaceFile(pathOf(key), `${digestOf(line)}\n${line}\n`, {
        directory: root,
        access: "private",
        durability: "unsynced", // its digest shows if a record is incomplete
      });
    },
    count: async () => (await readdir(join(root, kind))).length,
  };
}

function recordName(key: string): string {
  return `${hexOf(digestOf(key))}.json`;
}

/** The first line of a file is the digest of the second, which shows even one flipped bit. */
const LINES = /^(sha256:[0-9a-f]{64})\n(.+)\n$/;

/** A reference that names its content by digest. */
const PINNED = /@(sha256:[0-9a-f]{64})$/;

interface FoundRecord {
  readonly key: string;
  readonly value: Json;
  /** The blob that it is about. */
  readonly blob: Digest;
}

/**
 * Reads a record. "damaged" also means that it is another key's record, or that its blob is not the
 * one whose digest is in the key.
 */
export function readRecord(path: string): FoundRecord | "missing" | "damaged" {
  try {
    const [, digest, line = ""] = LINES.exec(readTrusted(path)) ?? [];
    if (digest !== digestOf(line)) return "damaged";
    const json = parseJson(Buffer.from(line), path, MAX_BYTES);
    const value = field(json, "value");
    const key = string(field(json, "key"));
    const blob = parseDescriptor(field(value, "descriptor")).digest;
    const promised = PINNED.exec(key)?.[1] ?? blob;
    return basename(path) === recordName(key) && promised === blob ? { key, value, blob } : "damaged";
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "missing";
    if (isDamage(error)) return "damaged";
    throw error;
  }
}

function isDamage(error: unknown): boolean {
  if (error instanceof UnfitFile || error instanceof LambdaPackError) return true;
  return hasCode(error, "EACCES", "EIO", "ELOOP", "ENXIO");
}

/** In bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Records are trusted, so one that another user owns or can change counts as damaged. */
function readTrusted(path: string): string {
  return readRegularFile(path, { maxBytes: MAX_BYTES, followsLink: false, refuse: trustFault }).toString(
    "utf8",
  );
}
