import { posix } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import type { Collection } from "../../layer/collect.ts";
import { installedIn } from "../../layer/packages.ts";
import { shortList } from "../nearest.ts";
import { fileSecret, hasSecretName, MAX_SECRET_BYTES } from "./files.ts";
import { tokenIn } from "./tokens.ts";

interface SecretFinding {
  readonly path: string;
  /** `a private key`. */
  readonly what: string;
}

/** Compressed, compiled and media files, which are not searched for tokens. */
const NO_TEXT =
  /\.(?:7z|a|avif|bin|br|bz2|class|dat|db|dll|dylib|eot|exe|gif|gz|ico|jar|jpe?g|lockb|map|mp[34]|node|o|onnx|otf|parquet|pdf|png|pyc|so(?:\.[\d.]+)?|sqlite3?|svg|tar|tgz|tiff?|ttf|wasm|webp|whl|woff2?|xz|zip|zst)$/i;

/** In bytes, for all files together, so that the check of a large app stays quick. */
const MAX_ALL_BYTES = 64 * 1024 * 1024;

/** Returns whether the file (size in bytes) may hold a secret in its text. */
export function mayHoldSecret(path: string, size: number): boolean {
  return hasSecretName(path, size) || (size >= MIN_TOKEN && size <= MAX_SECRET_BYTES && !NO_TEXT.test(path));
}

/** In bytes; no token is shorter. */
const MIN_TOKEN = 24;

/** Returns the kind of secret that the file holds. `text`: the part that was read. */
export function secretIn(path: string, size: number, text: string | undefined): string | undefined {
  return fileSecret(path, size, text) ?? (text === undefined ? undefined : tokenIn(text));
}

/**
 * Finds the files that should not be in an image, in the order of the collection: private keys,
 * `.env`, credentials of tools, also behind links of such names, and tokens in any text. Skips installed packages: the keys in some
 * are public, for their own tests. `read` returns the text of a file; undefined if it cannot be
 * read, which makes packing fail later.
 */
export async function findSecrets(
  collection: Collection,
  read: (path: string) => Promise<string | undefined>,
): Promise<readonly SecretFinding[]> {
  const found: SecretFinding[] = [];
  let left = MAX_ALL_BYTES;
  for (const { path, size } of ownFiles(collection)) {
    const isRead = hasSecretName(path, size) || left > 0;
    if (isRead) left -= size;
    const what = secretIn(path, size, isRead ? await read(path) : undefined);
    if (what !== undefined) found.push({ path, what });
  }
  return found;
}

function* ownFiles(collection: Collection): Generator<{ readonly path: string; readonly size: number }> {
  const isInstalled = installedIn(collection);
  const own = collection.files.filter(({ path }) => !isInstalled(path) && !isVirtualEnvironment(path));
  for (const { path, entry } of own)
    if (entry.kind === "file" && mayHoldSecret(path, entry.size)) yield { path, size: entry.size };
  yield* linksWithSecretNames(own, collection.files);
}

/** Yields `.env -> settings.txt` if settings.txt is packed, with its size. */
function* linksWithSecretNames(own: Collection["files"], all: Collection["files"]) {
  const links = own.filter(({ path, entry }) => entry.kind === "symlink" && hasSecretName(path, 0));
  if (links.length === 0) return;
  const files = all.filter(({ path }) => !isVirtualEnvironment(path));
  const sizes = new Map(
    files.map(({ path, entry }) => [path, entry.kind === "file" ? entry.size : undefined]),
  );
  for (const { path, entry } of links) {
    const target = entry.kind === "symlink" ? posix.join(posix.dirname(path), entry.target) : "";
    const size = sizes.get(target);
    if (size !== undefined && hasSecretName(path, size)) yield { path, size };
  }
}

/** Packages in a virtual environment have no RECORD in the source directory itself. */
function isVirtualEnvironment(path: string): boolean {
  return /(?:^|\/)(?:site|dist)-packages\//.test(path);
}

/** Returns the error for at least one finding. It never shows the secrets themselves. */
export function secretError(findings: readonly SecretFinding[]): LambdaPackError {
  const named = findings.map(({ path, what }) => `${JSON.stringify(path)} (${what})`);
  const path = findings[0]?.path ?? "FILE";
  const listed = shortList(named, named.length, 5);
  return new LambdaPackError("SECRET_FOUND", `secrets would be in the image: ${listed}`, {
    hint: `add ${path} to .lambdaignore, or use --allow-secret ${path} if it is meant to be there`,
  });
}
