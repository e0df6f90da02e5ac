import { createHash } from "node:crypto";
import { LambdaPackError } from "../errors.ts";

/** From weakest to strongest. */
const ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;

type Algorithm = (typeof ALGORITHMS)[number];

/** The hashes of one algorithm that the bytes of a package can have. */
export interface Integrity {
  readonly algorithm: Algorithm;
  /** Base64, sorted. One match is enough (W3C Subresource Integrity 3.3.4). */
  readonly hashes: readonly string[];
}

/**
 * Parses `sha512-<base64> sha1-<base64>` and keeps the strongest algorithm. Returns undefined if
 * there is no hash of a known algorithm with the right length.
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

/** Parses a hash in hexadecimal digits, as in Python's locks: `sha256:<hex>`. */
export function integrityOfHex(algorithm: string, hex: string): Integrity | undefined {
  return parseIntegrity(`${algorithm}-${Buffer.from(hex, "hex").toString("base64")}`);
}

/** Formats an integrity for keys and results: `sha512-<base64>`. */
export function integrityText({ algorithm, hashes }: Integrity): string {
  return hashes.map((hash) => `${algorithm}-${hash}`).join(" ");
}

/**
 * Passes the bytes on and compares their hash after the last one.
 * @throws CONTENT_MISMATCH that names the package and both hashes
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
