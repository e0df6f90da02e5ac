import { LambdaPackError } from "../errors.ts";
import { createDigester, type Digest, digestOf } from "./digest.ts";
import { DOCUMENT_LIMIT } from "./json.ts";

/** image-spec descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Where a blob already is, so that a registry can mount it instead of receiving it. */
export interface Origin {
  /** Host and port as in a reference. */
  readonly registry: string;
  readonly repository: string;
}

/**
 * Immutable bytes and their descriptor. They can be read again from any offset, as every retry
 * does. `read` yields exactly the bytes from `from` to the end, or throws; the reader checks the
 * digest.
 */
export interface Content {
  readonly descriptor: Descriptor;
  readonly origin?: Origin;
  /** Path of a local file with the bytes. It exists until its owner (cache, layout) is closed. */
  readonly file?: string;
  /**
   * true: this process wrote `file` and computed its digest, so it need not be checked, and may be
   * linked to.
   */
  readonly isOurs?: boolean;
  read(from?: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Returns the same content with its `file`, which is fetched if it is missing. */
  local?(signal?: AbortSignal): Promise<Content>;
}

/** Returns bytes in memory, such as a manifest or config, as a content. */
export function contentOf(mediaType: string, bytes: Uint8Array): Content {
  return {
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    async *read(from = 0) {
      if (from < bytes.length) yield bytes.subarray(from);
    },
  };
}

/**
 * Reads a small content into memory and checks it against its descriptor.
 * @throws IMAGE_INVALID when larger than {@link DOCUMENT_LIMIT}, CONTENT_MISMATCH when size or
 * digest differ.
 */
export async function readAll(content: Content, signal?: AbortSignal): Promise<Uint8Array> {
  const { digest, size } = content.descriptor;
  if (size > DOCUMENT_LIMIT) {
    throw new LambdaPackError(
      "IMAGE_INVALID",
      `${digest} has ${size} bytes, more than the ${DOCUMENT_LIMIT} a document may have`,
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of verified(content, signal)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Reads a content to its end and checks its size and digest against the descriptor.
 * @throws CONTENT_MISMATCH, at the first byte too many or at the end.
 */
export async function* verified(content: Content, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  const checker = new ContentChecker(content.descriptor);
  for await (const chunk of content.read(0, signal)) {
    checker.add(chunk);
    yield chunk;
  }
  checker.end();
}

/** Hashes and counts bytes. Throws CONTENT_MISMATCH if they differ from an expected descriptor. */
export class ContentChecker {
  readonly #expected: Descriptor | undefined;
  readonly #digester = createDigester();
  /** Bytes so far. */
  size = 0;

  constructor(expected: Descriptor | undefined) {
    this.#expected = expected;
  }

  add(chunk: Uint8Array): void {
    this.size += chunk.length;
    const most = this.#expected?.size ?? Number.POSITIVE_INFINITY;
    if (this.size > most) throw this.#mismatch(`more than the ${most} bytes of its descriptor`);
    this.#digester.update(chunk);
  }

  end(): Digest {
    const { size, digest: expected } = this.#expected ?? {};
    if (size !== undefined && this.size < size)
      throw this.#mismatch(`${this.size} of the ${size} bytes of its descriptor`);
    const digest = this.#digester.digest();
    if (expected !== undefined && digest !== expected)
      throw this.#mismatch(`bytes with the digest ${digest}`);
    return digest;
  }

  #mismatch(what: string): LambdaPackError {
    return new LambdaPackError("CONTENT_MISMATCH", `${this.#expected?.digest}: the source gave ${what}`);
  }
}
