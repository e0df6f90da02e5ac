import { lstat, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Content, Descriptor } from "../oci/content.ts";
import { type Digest, hexOf } from "../oci/digest.ts";
import type { Growing, Watch } from "../oci/store.ts";
import { copy } from "./copy.ts";
import { fileContent, isFileOf } from "./file-content.ts";
import { requireFreeSpace } from "./free-space.ts";
import { growingFile } from "./growing.ts";
import { linkFile } from "./link.ts";
import { makeDirectories } from "./make-directories.ts";
import { type Access, createPartial, DIRECTORY_MODE, partialName, type Writing } from "./partial.ts";
import { writeFailed } from "./write-failed.ts";

/**
 * The `blobs/sha256` of a layout (image-spec image-layout.md, "Blobs"): a file is there whole or
 * not at all.
 */
export interface Blobs {
  pathOf(digest: Digest): string;
  /** The content behind a descriptor; whether it is there shows when it is read. */
  open(descriptor: Descriptor): Content;
  /** Whether there is a regular file of this size. The bytes are not read. */
  has(descriptor: Descriptor): Promise<boolean>;
  /**
   * Afterwards the content is there, verified, and as durable as was asked for.
   * @throws CONTENT_MISMATCH, WRITE_FAILED.
   */
  put(content: Content, watch?: Watch): Promise<void>;
  /** Keeps bytes whose digest shows at their end. @throws WRITE_FAILED. */
  add(mediaType: string, bytes: AsyncIterable<Uint8Array>, watch?: AddWatch): Promise<Content>;
}

interface AddWatch extends Watch {
  /** What the bytes must turn out to be. */
  readonly expected?: Descriptor | undefined;
  /** Is given the bytes as soon as there is a place for them. */
  readonly onGrowing?: ((growing: Growing) => void) | undefined;
}

/** What `createPartial` puts into the root of a layout begins with this. */
export const BLOB_STEM = ".blob";

/** `root` is the layout; `blobs/sha256` in it is made when it is first written to. */
export function openBlobs(root: string, writing: Writing = {}): Blobs {
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
    await makeBlobDirectory(directory, access);
    await requireFreeSpace(directory, watch.expected?.size ?? 0);
    const partial = await createPartial(root, BLOB_STEM, writing);
    const growing = growingFile(partial.path);
    const onBytes = (written: number): void => {
      growing.wrote(written);
      watch.onBytes?.(written);
    };
    try {
      watch.onGrowing?.(growing);
      const { digest, size } = await copy(bytes, { ...watch, onBytes, write: partial[how] });
      await removeDirectory(pathOf(digest));
      await partial.commit(pathOf(digest));
      const content = open({ mediaType, digest, size });
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
    await makeBlobDirectory(directory, access);
    await removeDirectory(pathOf(digest));
    return linkFile(file, join(root, partialName(BLOB_STEM)), pathOf(digest), access);
  };
  return {
    pathOf,
    open,
    has: ({ digest, size }) => isFileOf(pathOf(digest), size),
    // What is made here comes from the threads that a write through the pool would have to wait
    // for.
    add: async (mediaType, bytes, watch = {}) => ({
      ...(await keep(mediaType, bytes, watch, "writeNow")),
      isOurs: true,
    }),
    async put(content, watch = {}) {
      const { mediaType, size } = content.descriptor;
      const nearest = content.local ? await content.local(watch.signal) : content;
      if (await linkHere(nearest)) watch.onBytes?.(size);
      else
        await keep(
          mediaType,
          nearest.read(0, watch.signal),
          { ...watch, expected: content.descriptor },
          "write",
        );
    },
  };
}

/** A directory where a blob belongs is damage, and a file cannot be moved over it. */
async function removeDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) await rm(path, { recursive: true, force: true });
}

async function makeBlobDirectory(directory: string, access: Access): Promise<void> {
  try {
    makeDirectories(directory, DIRECTORY_MODE[access]);
  } catch (error) {
    throw writeFailed(directory, error);
  }
}
