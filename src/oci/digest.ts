import { createHash } from "node:crypto";
import { LambdaPackError } from "../errors.ts";

declare const brand: unique symbol;

/**
 * `sha256:` and 64 lower-case hex digits (image-spec descriptor.md, "Digests"). Only
 * {@link parseDigest}, {@link isDigest} and hashing give one.
 */
export type Digest = `sha256:${string}` & { readonly [brand]: "Digest" };

const GRAMMAR = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return GRAMMAR.test(text);
}

/**
 * Checks a digest from outside, which is then safe in paths and URLs (CVE-2024-3727 was a digest
 * used unchecked).
 * @throws IMAGE_UNSUPPORTED for another algorithm, IMAGE_INVALID for anything else. `where` names
 * the place in the message.
 */
export function parseDigest(text: string, where = "digest"): Digest {
  if (isDigest(text)) return text;
  if (/^(sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/.test(text)) {
    throw new LambdaPackError(
      "IMAGE_UNSUPPORTED",
      `${where}: only sha256 digests are supported, not ${text.slice(0, 6)}`,
    );
  }
  throw new LambdaPackError(
    "IMAGE_INVALID",
    `${where}: expected sha256:<64 hex digits>, got ${JSON.stringify(text.slice(0, 80))}`,
  );
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return asDigest(createHash("sha256").update(bytes).digest("hex"));
}

/** Computes a digest: pass it bytes in order, then call `digest` once. */
export function createDigester() {
  const hash = createHash("sha256");
  return {
    update: (bytes: Uint8Array): void => void hash.update(bytes),
    digest: () => asDigest(hash.digest("hex")),
  };
}

/** Returns the 64 hex digits, as used for file names under `blobs/sha256/`. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

function asDigest(hex: string): Digest {
  return `sha256:${hex}` as Digest;
}
