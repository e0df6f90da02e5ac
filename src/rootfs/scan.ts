import { createGunzip, type Gunzip } from "node:zlib";
import { LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { detectCompression } from "../oci/media-types.ts";
import type { LayerVisitor } from "../tar/layer-entry.ts";
import { TarReader } from "../tar/tar-reader.ts";

/** The facts about a layer after all of it was read. */
export interface LayerScan {
  /** Digest and size of the compressed bytes, to be compared with the descriptor. */
  readonly digest: Digest;
  readonly size: number;
  /** The digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** The size of the uncompressed tar. */
  readonly bytes: number;
  readonly entries: number;
  /** The actual compression, whatever the media type says. */
  readonly compression: "gzip" | "none";
}

interface ScanOptions {
  /** The budget of the whole image. Default: a new one of {@link MAX_IMAGE_BYTES}. */
  readonly budget?: Budget | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Uncompressed bytes that may still be read. */
export interface Budget {
  left: number;
}

/** AWS's quota is "10 GB" uncompressed, including all layers; 10 GiB to be on the safe side. */
export const MAX_IMAGE_BYTES: number = 10 * 1024 ** 3;

/** Deflate's own limit is 1032. Zeros in a disk image come close: the first MiBs are exempt. */
export const MAX_RATIO = 1000;
export const FREE_BYTES = 256 * 1024 * 1024;

/** In bytes: 1.7 times faster than the default of 16 KiB. 1 MiB is no faster and leaves garbage. */
const INFLATE_CHUNK = 128 * 1024;

/**
 * Reads a layer once, from its first byte to its last, and passes every entry to `visitor`. Writes
 * nothing to disk; needs a few MiB of memory besides what the visitor keeps. The caller compares
 * digest, size and diffID with the expected ones.
 * @throws IMAGE_INVALID if it is not gzip, is not a tar, is damaged or is a decompression bomb;
 * IMAGE_UNSUPPORTED for zstd; and what reading the content throws.
 */
export async function scanLayer(
  content: Content,
  visitor: LayerVisitor,
  options: ScanOptions = {},
): Promise<LayerScan> {
  const { digest } = content.descriptor;
  const { budget = { left: MAX_IMAGE_BYTES }, signal } = options;
  const compressed = createDigester();
  const inflated = createDigester();
  let [size, holes] = [0, 0];
  const reader = new TarReader({
    enter(entry, headers) {
      budget.left -= reader.holes - holes;
      holes = reader.holes;
      checkBounds(digest, reader.bytes, size, budget);
      return visitor.enter(entry, headers);
    },
    leave: (...content) => visitor.leave?.(...content),
    content: (...piece) => visitor.content?.(...piece),
  });

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of content.read(0, signal)) {
      size += chunk.length;
      compressed.update(chunk);
      yield chunk;
    }
  }

  const source = counted();
  try {
    const start = await firstBytes(source);
    const compression = detectCompression(start);
    if (compression === "zstd") throw zstd(digest);
    const stored = joined(start, source);
    for await (const chunk of compression === "gzip" ? inflate(digest, stored) : stored) {
      signal?.throwIfAborted();
      inflated.update(chunk);
      budget.left -= chunk.length;
      reader.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      checkBounds(digest, reader.bytes, size, budget);
    }
    reader.end();
    const { bytes, entries } = reader;
    return { digest: compressed.digest(), size, diffId: inflated.digest(), bytes, entries, compression };
  } finally {
    await source.return(undefined); // closes the file, wherever reading has stopped
  }
}

/** Returns at least the four bytes that show the compression, or all if there are fewer. */
async function firstBytes(source: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array();
  while (start.length < 4) {
    const next = await source.next();
    if (next.done) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return start;
}

async function* joined(start: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (start.length > 0) yield start;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/**
 * Inflates all gzip members. Zeros after the last one are padding, as in gzip(1); anything else
 * there is damage, as in Go.
 * @throws IMAGE_INVALID for damage, and what reading throws.
 */
async function* inflate(digest: Digest, source: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: INFLATE_CHUNK });
  const reader = { isGone: false };
  const feeding = feed(source, gunzip, reader);
  feeding.catch((error: unknown) => gunzip.destroy(error instanceof Error ? error : undefined));
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array; // zlib gives nothing else
    await feeding;
  } catch (error) {
    throw isZlibError(error) ? badGzip(digest, error) : error;
  } finally {
    reader.isGone = true;
    gunzip.destroy();
    await feeding.catch(() => undefined); // its error has been thrown
  }
}

/** Writes all chunks and waits for each one: bytes after the end of the gzip are noticed. */
async function feed(
  source: AsyncGenerator<Uint8Array>,
  gunzip: Gunzip,
  reader: { readonly isGone: boolean },
): Promise<void> {
  let isOver = false;
  let proceed = () => {};
  const over = () => {
    isOver = true;
    proceed();
  };
  gunzip.once("end", over).once("close", over);
  let written = 0;
  for await (const chunk of source) {
    if (!isOver)
      await new Promise<void>((resolve) => {
        proceed = resolve;
        gunzip.write(chunk, () => resolve());
      });
    if (reader.isGone) return;
    const behind = chunk.subarray(Math.max(0, gunzip.bytesWritten - written));
    isOver ||= behind.length > 0;
    if (behind.some((byte) => byte !== 0)) throw new TrailingBytes("bytes follow its end");
    written += chunk.length;
  }
  if (!isOver) gunzip.end();
}

/** Reports bytes after the last gzip member that are not another one. */
class TrailingBytes extends Error {
  readonly code = "ERR_ZLIB_TRAILING_BYTES";
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z_|^ERR_ZLIB/.test(String(error.code));
}

function checkBounds(digest: Digest, bytes: number, compressed: number, { left }: Budget): void {
  if (left < 0)
    throw bomb(`the image has more than 10 GB uncompressed: its layer ${digest} was not read to its end`);
  if (bytes > FREE_BYTES && bytes > compressed * MAX_RATIO)
    throw bomb(
      `the layer ${digest} inflates to more than ${MAX_RATIO} times its size: it was not read to its end`,
    );
}

function bomb(message: string): LambdaPackError {
  return new LambdaPackError("IMAGE_INVALID", message, {
    hint: "Lambda takes at most 10 GB uncompressed: have the image built again, without what is not needed",
  });
}

function badGzip(digest: Digest, cause: Error): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the layer ${digest} is damaged: its gzip ends early or is wrong (${cause.message})`,
    {
      hint: "have the image built again, or pull it again",
      cause,
    },
  );
}

function zstd(digest: Digest): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_UNSUPPORTED",
    `the layer ${digest} is compressed with zstd, and Lambda takes gzip layers only`,
    {
      hint: "make gzip of it: lambda-pack push SOURCE DEST --for-lambda",
    },
  );
}
