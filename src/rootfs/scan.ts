import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { LambdaPackError } from "../errors.ts";
import type { Content } from "../oci/content.ts";
import { createDigester, type Digest } from "../oci/digest.ts";
import { type LayerVisitor, TarWalk } from "../tar/tar-walk.ts";

export type { LayerEntry, LayerVisitor, Wanted } from "../tar/tar-walk.ts";

/** What a layer turned out to be once all of it was read. */
export interface LayerScan {
  /** Of the bytes as they came, to be held against the descriptor. */
  readonly digest: Digest;
  readonly size: number;
  /** Of the tar inside. */
  readonly diffId: Digest;
  /** Of the tar inside. */
  readonly bytes: number;
  readonly entries: number;
  /** What the bytes are, whatever the media type says. */
  readonly compression: "gzip" | "none";
}

export interface ScanOptions {
  /** Of the image that the layer is part of. Default: one of its own, of Lambda's 10 GB. */
  readonly budget?: Budget | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Uncompressed bytes that may still be read. */
export interface Budget {
  left: number;
}

/** "The maximum uncompressed image size, including all layers, is 10 GB" (AWS, Lambda quotas); 10 GiB, to be on the safe side. */
export const MAX_IMAGE_BYTES: number = 10 * 1024 ** 3;

/** Above it what inflates is no file of anybody's: deflate itself ends at 1032. Zeros in a disk image reach it, so the first MiBs are free. */
const MAX_RATIO = 1000;
const FREE_BYTES = 256 * 1024 * 1024;

/** 1.7 times faster than the default of 16 KiB; 1 MiB is no faster and leaves garbage that is collected late. */
const INFLATE_CHUNK = 128 * 1024;

/**
 * Reads a layer once, from its first byte to its last, and shows every entry to `visitor`. Nothing is written to disk; memory is some MiB, and what the
 * visitor keeps. Whether digest, size and diffId are those that were promised is for the caller to compare.
 * @throws IMAGE_INVALID for what is no gzip, no tar, damaged or a bomb; IMAGE_UNSUPPORTED for zstd; and what reading the content throws.
 */
export async function scanLayer(
  content: Content,
  visitor: LayerVisitor,
  options: ScanOptions = {},
): Promise<LayerScan> {
  const compressed = createDigester();
  const inflated = createDigester();
  const walk = new TarWalk(visitor);
  const { budget = { left: MAX_IMAGE_BYTES }, signal } = options;
  let size = 0;
  let kind: Compression | undefined;
  const { descriptor } = content;

  async function* source(): AsyncIterable<Uint8Array> {
    for await (const chunk of content.read(0, signal)) {
      size += chunk.length;
      compressed.update(chunk);
      kind ??= compressionOf(chunk);
      yield chunk;
    }
  }

  const take = async (bytes: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of bytes) {
      inflated.update(chunk);
      walk.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      budget.left -= chunk.length;
      checkBounds(descriptor.digest, walk.bytes, size, budget);
    }
  };
  const first = await peek(source());
  if (kind === "zstd") throw zstd(descriptor.digest);
  if (kind === "gzip") await inflate(descriptor.digest, first, take, signal);
  else await take(first);
  walk.end();
  return {
    digest: compressed.digest(),
    size,
    diffId: inflated.digest(),
    bytes: walk.bytes,
    entries: walk.entries,
    compression: kind === "gzip" ? "gzip" : "none",
  };
}

type Compression = "gzip" | "zstd" | "none";

/** RFC 1952 and RFC 8878, by their first bytes. */
function compressionOf(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  return start[0] === 0x28 && start[1] === 0xb5 && start[2] === 0x2f && start[3] === 0xfd ? "zstd" : "none";
}

/** The same bytes; the first of them have been read when this returns. */
async function peek(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => iterator };
  })();
}

async function inflate(
  digest: Digest,
  bytes: AsyncIterable<Uint8Array>,
  take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let refused: unknown;
  const taking = (inflated: AsyncIterable<Uint8Array>) =>
    take(inflated).catch((error: unknown) => {
      refused = error;
      throw error;
    });
  try {
    const gunzip = createGunzip({ chunkSize: INFLATE_CHUNK });
    await pipeline(Readable.from(bytes, { objectMode: false }), gunzip, taking, { signal });
  } catch (error) {
    if (isZlibError(error)) throw badGzip(digest, error);
    // Where the end of the pipeline fails, it says that its start was aborted.
    throw isAbort(error) ? (refused ?? error) : error;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
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
      hint: "convert the image, for example: skopeo copy --dest-compress-format gzip",
    },
  );
}
