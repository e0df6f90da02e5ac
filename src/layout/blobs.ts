import { lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Content, type Descriptor, verified } from "../oci/content.ts";
import { createDigester, type Digest, hexOf } from "../oci/digest.ts";
import type { Watch } from "../oci/store.ts";
import { fileContent, isFileOf } from "./file-content.ts";
import { createPartial, type Durability } from "./partial.ts";
import { writeFailed } from "./write-failed.ts";

/** The `blobs/sha256` of a layout (image-spec image-layout.md, "Blobs"): a file is there whole or not at all. */
export interface Blobs {
  pathOf(digest: Digest): string;
  /** The content behind a descriptor; whether it is there shows when it is read. */
  open(descriptor: Descriptor): Content;
  /** Whether there is a regular file of this size. The bytes are not read. */
  has(descriptor: Descriptor): Promise<boolean>;
  /** Afterwards the content is there, verified and synced. @throws CONTENT_MISMATCH, WRITE_FAILED. */
  put(content: Content, watch?: Watch): Promise<void>;
  /** Keeps bytes whose digest shows at their end. @throws WRITE_FAILED. */
  add(mediaType: string, bytes: AsyncIterable<Uint8Array>, watch?: Watch): Promise<Content>;
}

/** What `createPartial` puts into the root of a layout begins with this. */
export const BLOB_STEM = ".blob";

/** `root` is the layout; `blobs/sha256` in it is made when it is first written to. */
export function openBlobs(root: string, durability?: Durability): Blobs {
  const folder = join(root, "blobs", "sha256");
  const pathOf = (digest: Digest): string => join(folder, hexOf(digest));
  const open = (descriptor: Descriptor): Content => fileContent(descriptor, pathOf(descriptor.digest));
  const add: Blobs["add"] = async (mediaType, bytes, watch = {}) => {
    await makeFolder(folder);
    const partial = await createPartial(root, BLOB_STEM, durability);
    try {
      const { digest, size } = await copy(bytes, partial.write, watch);
      await clearFolder(pathOf(digest));
      await partial.commit(pathOf(digest));
      return open({ mediaType, digest, size });
    } finally {
      await partial.discard();
    }
  };
  return {
    pathOf,
    open,
    has: ({ digest, size }) => isFileOf(pathOf(digest), size),
    add,
    async put(content, watch = {}) {
      await add(content.descriptor.mediaType, verified(content, watch.signal), watch);
    },
  };
}

/** A folder where a blob belongs is damage, and a file cannot be moved over it. */
async function clearFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) await rm(path, { recursive: true, force: true });
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeFailed(folder, error);
  });
}

async function copy(
  bytes: AsyncIterable<Uint8Array>,
  write: (bytes: Uint8Array) => Promise<void>,
  { signal, onBytes }: Watch,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const digester = createDigester();
  let size = 0;
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    const written = write(chunk);
    digester.update(chunk); // while the disk is at work
    await written;
    size += chunk.length;
    onBytes?.(size);
  }
  signal?.throwIfAborted();
  return { digest: digester.digest(), size };
}
