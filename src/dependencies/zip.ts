import type { Entry } from "yauzl";
import { loadPackage } from "../async/load-package.ts";
import { LambdaPackError, messageOf } from "../errors.ts";
import { broken, type ExtractLimits, leavesDirectory } from "./extract.ts";

/** An entry of a zip. */
export interface ZipEntry {
  /**
   * With `/` as separator and no slash at either end; never outside the directory that it is
   * unpacked to.
   */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** Unix permission bits; 0 if the zip was made on another system. */
  readonly mode: number;
  readonly size: number;
}

/** An open zip file. */
export interface Zip {
  readonly entries: readonly ZipEntry[];
  /**
   * Reads the content of an entry.
   * @throws CONTENT_MISMATCH if it is damaged or has another length
   */
  read(entry: ZipEntry): AsyncIterable<Uint8Array>;
}

/**
 * Opens a zip, including zip64, while `work` runs. The zip library is imported on the first call.
 * @param name the owner of the archive in messages
 * @throws CONTENT_MISMATCH for an invalid zip, one that exceeds the limits, or an entry that has a
 * path outside, is encrypted, or uses an unknown compression
 */
export async function withZip<T>(
  { path, name, limits }: { readonly path: string; readonly name: string; readonly limits: ExtractLimits },
  work: (zip: Zip) => Promise<T>,
): Promise<T> {
  const { openPromise, getFileNameLowLevel } = await loadPackage("yauzl", () => import("yauzl"));
  const refuse = (what: string) => broken(name, what);
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
 * File types in inode(7), "The file type and mode"; zips made on Unix or macOS contain these bits
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

function problemWith(path: string, entry: Entry): string | undefined {
  const hasNoName = path.split("/").some((part) => part === "" || part === ".");
  if (hasNoName || leavesDirectory(path)) return "leaves its directory";
  if (entry.isEncrypted()) return "is encrypted";
  return entry.canDecodeFileData()
    ? undefined
    : `is compressed by method ${entry.compressionMethod}, which is not known`;
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}
