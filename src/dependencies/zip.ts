import type { Entry } from "yauzl";
import { loadPackage } from "../async/load-package.ts";
import { LambdaPackError } from "../errors.ts";

/** Something in a zip. */
export interface ZipEntry {
  /**
   * '/'-separated, without a slash at either end; never leads out of the directory that it is
   * unpacked to.
   */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Permission bits as on Unix; 0 where the zip was made elsewhere. */
  readonly mode: number;
  /** Bytes when unpacked. */
  readonly size: number;
}

/** A zip on disk that is open. */
export interface Zip {
  readonly entries: readonly ZipEntry[];
  /**
   * The content of an entry of this zip. @throws CONTENT_MISMATCH where it is damaged, or not as
   * long as the zip says.
   */
  read(entry: ZipEntry): AsyncIterable<Uint8Array>;
}

export interface ZipLimits {
  readonly files: number;
  /** Of all files, unpacked. */
  readonly bytes: number;
}

/**
 * Opens a zip for the length of `work`, with zip64 where it is larger than 4 GiB. Loads the library
 * for zips when it is first called.
 * @param name whose archive it is, in messages.
 * @throws CONTENT_MISMATCH for what is no zip; naming the entry, for one that leads elsewhere, is
 * encrypted or compressed in a way that is not known, and for more files or bytes than the limits
 * allow.
 */
export async function withZip<T>(
  { path, name, limits }: { readonly path: string; readonly name: string; readonly limits: ZipLimits },
  work: (zip: Zip) => Promise<T>,
): Promise<T> {
  const { openPromise, getFileNameLowLevel } = await loadPackage("yauzl", () => import("yauzl"));
  const refuse = (what: string) => zipError(name, what);
  const options = { lazyEntries: true, autoClose: false, decodeStrings: false };
  const file = await openPromise(path, options).catch((error: unknown) => {
    throw refuse(`cannot be read: ${messageOf(error)}`);
  });
  try {
    const listed = new Map<ZipEntry, Entry>();
    let bytes = 0;
    try {
      for await (const entry of file.eachEntry()) {
        const { generalPurposeBitFlag, fileNameRaw, extraFields } = entry;
        const fileName = getFileNameLowLevel(generalPurposeBitFlag, fileNameRaw, extraFields, true);
        const read = entryOf(fileName, entry);
        const problem = problemWith(read.path, entry);
        if (problem !== undefined) throw refuse(`has the file name ${shown(fileName)}, which ${problem}`);
        listed.set(read, entry);
        bytes += read.size;
        if (listed.size > limits.files) throw refuse(`has more than ${limits.files} files`);
        if (bytes > limits.bytes) throw refuse(`unpacks to more than ${limits.bytes} bytes`);
      }
    } catch (error) {
      throw error instanceof LambdaPackError ? error : refuse(`cannot be used: ${messageOf(error)}`);
    }
    return await work({
      entries: [...listed.keys()],
      async *read(wanted) {
        const entry = listed.get(wanted);
        if (!entry) throw new Error("the entry is of another zip");
        try {
          yield* await file.openReadStreamPromise(entry);
        } catch (error) {
          throw refuse(`has the file name ${shown(wanted.path)}, which is damaged: ${messageOf(error)}`);
        }
      },
    });
  } finally {
    file.close();
  }
}

/**
 * inode(7), "The file type and mode": zips that were made on Unix or macOS have these bits
 * (APPNOTE.TXT 4.4.15).
 */
const KINDS: ReadonlyMap<number, ZipEntry["kind"]> = new Map([
  [0, "file"],
  [0o100000, "file"],
  [0o120000, "symlink"],
]);

function entryOf(fileName: string, { externalFileAttributes, uncompressedSize }: Entry): ZipEntry {
  const unix = externalFileAttributes >>> 16;
  const isDirectory = fileName.endsWith("/");
  return {
    path: fileName.replace(/\/+$/, ""),
    kind: isDirectory ? "directory" : (KINDS.get(unix & 0o170000) ?? "other"),
    mode: unix & 0o7777,
    size: isDirectory ? 0 : uncompressedSize,
  };
}

/** What is wrong with an entry; undefined: nothing. */
function problemWith(path: string, entry: Entry): string | undefined {
  const parts = path.split("/");
  const isOutside = path.includes("\\") || path.includes("\0") || /^[A-Za-z]:/.test(path);
  if (isOutside || parts.some((part) => ["", ".", ".."].includes(part))) return "leaves its directory";
  if (entry.isEncrypted()) return "is encrypted";
  return entry.canDecodeFileData()
    ? undefined
    : `is compressed by method ${entry.compressionMethod}, which is not known`;
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function zipError(name: string, what: string): LambdaPackError {
  return new LambdaPackError("CONTENT_MISMATCH", `the archive of ${name} ${what}`, {
    hint: "nothing of it was used: make the archive again, or report it to those who publish it",
  });
}
