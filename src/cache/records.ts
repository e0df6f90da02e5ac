import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { replaceFile } from "../blobs/partial.ts";
import { readRegularFile, UnfitFile } from "../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import type { Descriptor } from "../oci/content.ts";
import { type Digest, digestOf, hexOf } from "../oci/digest.ts";
import { parseDescriptor } from "../oci/documents.ts";
import { field, type Json, parseJson, string } from "../oci/json.ts";
import { trustFault } from "./private-directory.ts";

/**
 * The kinds of facts, each a directory of the cache: fingerprint -> layer, signature ->
 * fingerprint, reference -> manifest, image and plan -> findings, integrity -> package,
 * installation -> layers, registry and blob -> repository.
 */
export const RECORD_KINDS = [
  "layers",
  "signatures",
  "references",
  "findings",
  "packages",
  "installations",
  "holders",
] as const;

/** Opens the records of one kind: facts about blobs by key, each in its own file, without a lock. */
export function openRecords<T extends { readonly descriptor: Descriptor }>(
  root: string,
  kind: (typeof RECORD_KINDS)[number],
  parse: (json: Json) => T,
) {
  const pathOf = (key: string): string => join(root, kind, recordName(key));
  const parsed = (json: Json): T | undefined => {
    try {
      return parse(json);
    } catch (error) {
      if (isDamage(error)) return undefined; // another version of lambda-pack wrote it
      throw error;
    }
  };
  return {
    /** Returns undefined if there is none. Removes a damaged record. */
    async find(key: string): Promise<T | undefined> {
      const path = pathOf(key);
      const record = readRecord(path);
      if (record === "missing") return undefined;
      const value = record === "damaged" ? undefined : parsed(record.value);
      if (value !== undefined) return value;
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
      return undefined;
    },
    async set(key: string, value: T): Promise<void> {
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

/**
 * The first line of a file is the digest of the second, which shows even one flipped bit in a
 * diffID.
 */
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
