import { createHash } from "node:crypto";
import { LambdaPackError } from "../errors.ts";

/** From the weakest to the strongest. */
const ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;

type Algorithm = (typeof ALGORITHMS)[number];

/** The hashes of one algorithm that the bytes of a package may have. */
export interface Integrity {
  readonly algorithm: Algorithm;
  /** Base64, sorted. Any one of them is enough (W3C Subresource Integrity 3.3.4). */
  readonly hashes: readonly string[];
}

/**
 * Reads `sha512-<base64> sha1-<base64>` and keeps the strongest algorithm of it. Returns undefined
 * where the text has no hash of a known algorithm and the right length.
 */
export function parseIntegrity(text: string): Integrity | undefined {
  const found = text
    .trim()
    .split(/\s+/)
    .flatMap((one) => {
      const [, name, hash = ""] =
        /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/.exec(one) ?? [];
      const algorithm = ALGORITHMS.find((known) => known === name);
      return algorithm && isHash(hash, algorithm) ? [{ algorithm, hash }] : [];
    });
  const algorithm = ALGORITHMS.findLast((known) => found.some((one) => one.algorithm === known));
  if (algorithm === undefined) return undefined;
  const hashes = found.filter((one) => one.algorithm === algorithm).map(({ hash }) => hash);
  return { algorithm, hashes: [...new Set(hashes)].sort() };
}

const BYTES: Readonly<Record<Algorithm, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

function isHash(base64: string, algorithm: Algorithm): boolean {
  return Buffer.from(base64, "base64").length === BYTES[algorithm];
}

/** Reads a hash in hexadecimal digits, as Python's locks have it: `sha256:<hex>`. */
export function integrityOfHex(algorithm: string, hex: string): Integrity | undefined {
  return parseIntegrity(`${algorithm}-${Buffer.from(hex, "hex").toString("base64")}`);
}

/** The text that names an integrity in keys and results: `sha512-<base64>`. */
export function integrityText({ algorithm, hashes }: Integrity): string {
  return hashes.map((hash) => `${algorithm}-${hash}`).join(" ");
}

/**
 * Passes the bytes on and compares their hash at the end.
 * @throws CONTENT_MISMATCH naming the package and both hashes, after the last byte.
 */
export async function* checkIntegrity(
  bytes: AsyncIterable<Uint8Array>,
  { algorithm, hashes }: Integrity,
  { name, from }: { readonly name: string; readonly from: string },
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash(algorithm);
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  const actual = hash.digest("base64");
  if (hashes.includes(actual)) return;
  throw new LambdaPackError(
    "CONTENT_MISMATCH",
    `${name} from ${from} has the hash ${algorithm}-${actual}, and the lock file has ${integrityText({ algorithm, hashes })}`,
    { hint: "the package was changed after the lock was written: find out why, or write the lock again" },
  );
}
