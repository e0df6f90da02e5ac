import type { Content, Descriptor } from "./content.ts";
import type { Image } from "./image.ts";
import type { Platform } from "./platform.ts";
import type { Open } from "./resolve.ts";

/** What a tag or digest names, as it is: a manifest or an index, not walked through. */
export interface Named {
  readonly top: Content;
  readonly open: Open;
  /** false: the medium has no manifest (a Docker archive), and `top` was made for it. */
  readonly written: boolean;
}

/** Where images come from: a registry's repository, a layout, an archive. */
export interface ImageSource {
  /**
   * As a user would write it, without tag and digest: `public.ecr.aws/lambda/python`, `oci:out`.
   */
  readonly name: string;
  /**
   * The image behind a tag or digest (undefined: the source's default). Manifest and config are
   * read and verified now, layers only when read. From an index the child for `platform` is taken;
   * without `platform` its only child, or linux/amd64, which is Lambda's default.
   * @throws IMAGE_NOT_FOUND, PLATFORM_NOT_FOUND, IMAGE_INVALID, IMAGE_UNSUPPORTED, CONTENT_MISMATCH
   * and what the medium adds.
   */
  pull(reference: string | undefined, platform: Platform | undefined, signal?: AbortSignal): Promise<Image>;
  /** What `pull` starts from. @throws IMAGE_NOT_FOUND and what the medium adds. */
  find(reference: string | undefined, signal?: AbortSignal): Promise<Named>;
}

export interface Watch {
  readonly signal?: AbortSignal | undefined;
  /** Bytes of this content that the sink has taken so far; goes down when it has to start again. */
  readonly onBytes?: ((sent: number) => void) | undefined;
}

/** Where images go. `push` is one algorithm over it: has, put what is missing, publish last. */
export interface ImageSink {
  /** As {@link ImageSource.name}; `<name>@<digest>` names what was published. */
  readonly name: string;
  /**
   * True when every one of these tags (none: the digest) already names this manifest: then its
   * blobs are there too, and nothing is left to do.
   */
  isPublished(manifest: Descriptor, tags: readonly string[], signal?: AbortSignal): Promise<boolean>;
  /** True only if the sink holds this very content, whole. */
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /**
   * Afterwards the sink holds the content, verified; says nothing about who brought it. Safe to
   * call again after a failure.
   */
  put(content: Content, watch?: Watch): Promise<"uploaded" | "mounted">;
  /**
   * Sends ahead what there is of bytes that are still being written, for a later `put` of the whole
   * to go on from. Only ever saves time: it does not fail, nothing is visible in the sink before
   * that `put`, and what is not put is taken back by `close`.
   */
  sendAhead?(growing: Growing, signal: AbortSignal): void;
  /**
   * Afterwards every tag (none: only the digest) names this manifest. All blobs it names must be in
   * the sink.
   */
  publish(manifest: Content, tags: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * Ends the sink. What was not published leaves nothing half-written behind. Always called, once.
   */
  close(): Promise<void>;
}

/** Bytes that are still being written, of which those that are there can be read. */
export interface Growing {
  /**
   * Waits until there are `bytes`, or no more come; how many there are then.
   * @throws when the writing failed.
   */
  reach(bytes: number): Promise<number>;
  /** From `from` to before `to`, which must be there. */
  read(from: number, to: number, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** The whole. @throws when the writing failed. */
  readonly whole: Promise<Content>;
}

/** A place for bytes whose digest is known only at their end. */
export interface Spool {
  /**
   * Keeps all of `bytes`. The returned content can be read again, from any offset, until the
   * spool's owner is closed. When `bytes` throws or the signal aborts, nothing is left behind.
   * @throws WRITE_FAILED naming the path, when the disk refuses.
   */
  write(mediaType: string, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<Content>;
}
