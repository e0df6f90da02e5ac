import { chmod, link, lstat, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "../errors.ts";
import { type Content, ContentChecker, type Descriptor } from "../oci/content.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import type { Growing, Watch } from "../oci/store.ts";
import { makeDirectories, requireFreeSpace, writeFailed } from "./disk.ts";
import { fileContent, isFileOf } from "./file-content.ts";
import { growingFile } from "./growing.ts";
import {
  type Access,
  createPartial,
  DIRECTORY_MODE,
  FILE_MODE,
  partialName,
  type Writing,
} from "./partial.ts";

export type Blobs = ReturnType<typeof openBlobs>;

interface AddWatch extends Watch {
  /** The descriptor that the bytes have to match. */
  readonly expected?: Descriptor | undefined;
  /** Called with the file as soon as it exists, while it is written. */
  readonly onGrowing?: ((growing: Growing) => void) | undefined;
}

/** Names of unfinished files in the root of a layout begin with this. */
export const BLOB_STEM = ".blob";

/**
 * Opens the directory `blobs/sha256` of the layout at `root` (image-spec image-layout.md, "Blobs").
 * Creates it at the first write. A file appears there only when it is complete.
 */
export function openBlobs(root: string, writing: Writing = {}) {
  const { access = "shared" } = writing;
  const directory = join(root, "blobs", "sha256");
  const pathOf = (digest: Digest): string => join(directory, hexOf(digest));
  const open = (descriptor: Descriptor): Content => fileContent(descriptor, pathOf(descriptor.digest));
  const keep = async (
    mediaType: string,
    bytes: AsyncIterable<Uint8Array>,
    watch: AddWatch,
    how: "write" | "writeNow",
  ): Promise<Content> => {
    makeDirectories(directory, DIRECTORY_MODE[access]);
    await requireFreeSpace(directory, watch.expected?.size ?? 0);
    const partial = await createPartial(root, BLOB_STEM, writing);
    const growing = growingFile(partial.path);
    const checker = new ContentChecker(watch.expected);
    try {
      watch.onGrowing?.(growing);
      for await (const chunk of bytes) {
        watch.signal?.throwIfAborted();
        checker.add(chunk);
        await partial[how](chunk);
        growing.wrote(checker.size);
        watch.onBytes?.(checker.size);
      }
      watch.signal?.throwIfAborted();
      const digest = checker.end();
      await removeDirectory(pathOf(digest));
      await partial.commit(pathOf(digest));
      const content = open({ mediaType, digest, size: checker.size });
      growing.finish(content);
      return content;
    } catch (error) {
      growing.fail(error);
      throw error;
    } finally {
      await partial.discard();
    }
  };
  const linkHere = async ({ descriptor: { digest, size }, file, isOurs }: Content): Promise<boolean> => {
    if (!isOurs || file === undefined || !(await isFileOf(file, size))) return false;
    makeDirectories(directory, DIRECTORY_MODE[access]);
    await removeDirectory(pathOf(digest));
    return linkFile(file, join(root, partialName(BLOB_STEM)), pathOf(digest), access);
  };
  return {
    pathOf,
    /** Returns the content of a descriptor; reading it throws if it is missing. */
    open,
    /** Returns whether there is a regular file of this size. Does not read it. */
    has: ({ digest, size }: Descriptor) => isFileOf(pathOf(digest), size),
    /** Writes bytes whose digest is known only at their end. @throws WRITE_FAILED. */
    async add(mediaType: string, bytes: AsyncIterable<Uint8Array>, watch: AddWatch = {}): Promise<Content> {
      // The bytes come from the thread pool, where an asynchronous write would wait for that work.
      return { ...(await keep(mediaType, bytes, watch, "writeNow")), isOurs: true };
    },
    /** Writes and verifies a content. @throws CONTENT_MISMATCH, WRITE_FAILED. */
    async put(content: Content, watch: Watch = {}): Promise<void> {
      const { mediaType, size } = content.descriptor;
      const nearest = content.local ? await content.local(watch.signal) : content;
      if (await linkHere(nearest)) watch.onBytes?.(size);
      else {
        const checked = { ...watch, expected: content.descriptor };
        await keep(mediaType, nearest.read(0, watch.signal), checked, "write");
      }
    },
  };
}

/** Removes a directory at the path of a blob: a file cannot be moved over it. */
async function removeDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) await rm(path, { recursive: true, force: true });
}

/** Errors of another file system, one without links or room for one more, or a missing file. */
const CANNOT = ["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "ENOENT"];

/**
 * Makes `to` a hard link to `from`, through the temporary name `partial` on the same file system.
 * Returns false, without any change, if that is not possible.
 * @throws WRITE_FAILED.
 */
async function linkFile(from: string, partial: string, to: string, access: Access): Promise<boolean> {
  try {
    await link(from, partial);
  } catch (error) {
    if (hasCode(error, ...CANNOT)) return false;
    throw writeFailed(to, error);
  }
  try {
    // All links share one mode. The file in the cache stays private because its directory is.
    if (access === "shared") await chmod(partial, FILE_MODE.shared & ~process.umask());
    await rename(partial, to);
    return true;
  } catch (error) {
    throw writeFailed(to, error);
  } finally {
    // If `to` was a link to the same file already, a rename leaves both names (rename(2)).
    await rm(partial, { force: true });
  }
}
