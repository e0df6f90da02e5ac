import { type Content, verified } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Layer } from "../oci/image.ts";
import type { Spool } from "../oci/store.ts";
import type { Entry } from "../tar/entry.ts";
import { gzip, gzipBlocks } from "./encode/gzip.ts";
import { WorkerHasher } from "./encode/hasher.ts";
import { tar } from "./encode/tar.ts";

interface CompressOptions {
  /** Stores the layer's bytes. */
  readonly spool: Spool;
  /** Deflate level, 1 to 9. */
  readonly level: number;
  /** The media type of a gzip layer. */
  readonly mediaType: string;
  readonly signal?: AbortSignal | undefined;
}

interface PackOptions extends CompressOptions {
  /** The mtime of all entries. */
  readonly mtime: Date;
  /** Called with the bytes of files packed so far. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Packs the entries as a layer, in one pass; the same entries, contents, mtime and level give the
 * same bytes.
 * @throws FILE_CHANGED, FILE_UNREADABLE, WRITE_FAILED; then nothing is left behind.
 */
export async function pack(entries: Iterable<Entry>, options: PackOptions): Promise<Layer> {
  let diffId: Digest | undefined;
  const compressed = async function* (): AsyncIterable<Uint8Array> {
    const source = tar(entries, options);
    ({ digest: diffId } = yield* gzipBlocks(source, { level: options.level, hasher: new WorkerHasher() }));
  };
  const content = await options.spool.write(options.mediaType, compressed(), options.signal);
  if (!diffId) throw new Error("the spool did not take all of the layer");
  return { ...content, diffId };
}

/**
 * Compresses an uncompressed layer, as some bases have, because Lambda needs gzip. Its old digest
 * becomes its diffID.
 * @throws CONTENT_MISMATCH if the source gives other bytes than its descriptor names; WRITE_FAILED.
 */
export async function recompress(content: Content, options: CompressOptions): Promise<Layer> {
  const compressed = gzip(verified(content, options.signal), options.level);
  const layer = await options.spool.write(options.mediaType, compressed, options.signal);
  return { ...layer, diffId: content.descriptor.digest };
}
