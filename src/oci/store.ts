import type { Content, Descriptor } from "./content.ts";
import type { Image } from "./image.ts";
import type { Platform } from "./platform.ts";
import type { Open } from "./resolve.ts";

/** The manifest or index that a tag or digest names. */
export interface Named {
  readonly top: Content;
  readonly open: Open;
  /** false: the source has no manifest (a Docker archive), and `top` was generated. */
  readonly written: boolean;
}

/** A source of images: a registry's repository, a layout, an archive. */
export interface ImageSource {
  /** As a user would write it, without tag or digest: `public.ecr.aws/lambda/python`, `oci:out`. */
  readonly name: string;
  /**
   * Returns the image that a tag or digest names (undefined: the source's default). Reads and
   * verifies the manifest and config now, layers only when they are read. From an index it takes
   * the child for `platform`; without `platform` the only child, or linux/amd64, which is Lambda's
   * default.
   * @throws IMAGE_NOT_FOUND, PLATFORM_NOT_FOUND, IMAGE_INVALID, IMAGE_UNSUPPORTED, CONTENT_MISMATCH
   * and further errors of the source.
   */
  pull(reference: string | undefined, platform: Platform | undefined, signal?: AbortSignal): Promise<Image>;
  /** Returns what `pull` starts from. @throws IMAGE_NOT_FOUND and further errors of the source. */
  find(reference: string | undefined, signal?: AbortSignal): Promise<Named>;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that the sink has accepted; they decrease when it has to start again. */
  readonly onBytes?: ((sent: number) => void) | undefined;
}

/** A destination of images. `push` works alike for all: `has`, `put` what is missing, `publish`. */
export interface ImageSink {
  /** Like {@link ImageSource.name}; `<name>@<digest>` names what was published. */
  readonly name: string;
  /**
   * Returns whether all of these tags (none: the digest) already name this manifest; its blobs are
   * then there too, and nothing is left to do.
   */
  isPublished(manifest: Descriptor, tags: readonly string[], signal?: AbortSignal): Promise<boolean>;
  /** Returns true only if the sink has this content, complete. */
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /** Puts the content, verified, into the sink. Safe to call again after a failure. */
  put(content: Content, watch?: Watch): Promise<"uploaded" | "mounted">;
  /**
   * Sends the part of a growing content that is written, for a later `put` of the whole to
   * continue. It only saves time: it does not fail, the sink shows nothing before that `put`, and
   * `close` removes what was not put.
   */
  sendAhead?(growing: Growing, signal: AbortSignal): void;
  /** Makes every tag (none: only the digest) name this manifest. Its blobs must be in the sink. */
  publish(manifest: Content, tags: readonly string[], signal?: AbortSignal): Promise<void>;
  /** Closes the sink, and removes partial data that was not published. Always called, once. */
  close(): Promise<void>;
}

/** A content that is still being written; the bytes written so far can be read. */
export interface Growing {
  /**
   * Waits until `bytes` bytes are written, or no more follow. Returns how many there are.
   * @throws when writing failed.
   */
  reach(bytes: number): Promise<number>;
  /** Reads the bytes from `from` up to but not including `to`, which must be written already. */
  read(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** The complete content. @throws when writing failed. */
  readonly whole: Promise<Content>;
}

/** Storage for bytes whose digest is known only at their end. */
export interface Spool {
  /**
   * Stores all of `bytes`. The returned content can be read again, from any offset, until the
   * spool's owner is closed. When `bytes` throws or the signal aborts, nothing is left behind.
   * @param onGrowing called with the file while it is written
   * @throws WRITE_FAILED, which names the path, when the disk refuses.
   */
  write(
    mediaType: string,
    bytes: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
    onGrowing?: (growing: Growing) => void,
  ): Promise<Content>;
}
