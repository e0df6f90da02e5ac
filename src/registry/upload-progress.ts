import type { LambdaPackError } from "../errors.ts";
import type { StartedUpload } from "./streaming-upload.ts";
import type { RegistryTraits } from "./traits.ts";

/** A chunk that was sent, as offsets in bytes from the blob's start. */
interface Chunk {
  readonly from: number;
  readonly end: number;
  /** What the registry's `Range` says is stored. */
  readonly stored: number | undefined;
}

/**
 * How often a registry may lose the session, correct the offset or report damage. New bytes reset
 * the first two counts.
 */
const MAX_RESTARTS = 3;
const MAX_CORRECTIONS = 3;
const MAX_DAMAGED = 2;
/** The smallest chunk, in bytes, that is tried where something limits the size of requests. */
const SMALLEST_CHUNK = 64 * 1024;

/**
 * The progress of one blob's upload. Only acknowledged bytes are known to have arrived; after a
 * failure all others are sent again. Offsets are bytes from the blob's start.
 */
export class UploadProgress {
  readonly #size: number;
  /** What the registry accepts; less where an answer shows that. */
  #accepts: Pick<RegistryTraits, "wholeUpTo" | "chunkSize" | "trustsRange">;
  readonly #onBytes: ((sent: number) => void) | undefined;
  #acked = 0;
  /** The end of what was sent in this session. */
  #sent = 0;
  /** The highest value of #acked so far. */
  #best = 0;
  /** A request of this session failed, so the loss of the session is not counted. */
  #hasFailed = false;
  #isUnsure = false;
  #isClosing = false;
  #restarts = 0;
  #corrections = 0;
  #damaged = 0;

  constructor(size: number, traits: RegistryTraits, onBytes: ((sent: number) => void) | undefined) {
    this.#size = size;
    this.#accepts = traits;
    this.#onBytes = onBytes;
  }

  /** Whether the last request failed, so that it is not known what is stored. */
  get isUnsure(): boolean {
    return this.#isUnsure;
  }

  /** Whether the last request was the closing PUT. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether the last request was a closing PUT without a body. */
  get hasClosedEmpty(): boolean {
    return this.#isClosing && this.#acked === this.#size && this.#size > 0;
  }

  /** Continues an upload that was started while the layer was packed. */
  continueFrom({ acked, sent }: StartedUpload): void {
    [this.#acked, this.#sent, this.#best] = [acked, sent, acked];
    this.#isUnsure = sent > acked;
    this.#hasFailed = this.#isUnsure;
  }

  /**
   * Returns the range that the next request sends. One that reaches the blob's end is sent by the
   * closing PUT.
   */
  nextChunk(minChunk: number): { readonly from: number; readonly end: number } {
    const { wholeUpTo, chunkSize } = this.#accepts;
    const chunk = this.#size <= wholeUpTo ? this.#size : Math.max(chunkSize, minChunk);
    const from = this.#acked;
    const end = Math.min(this.#size, from + chunk);
    this.#isClosing = end === this.#size;
    this.#sent = Math.max(this.#sent, end);
    return { from, end };
  }

  /**
   * Moves to where the next chunk starts. A registry that says it stored less is believed once, and
   * only if its `Range` is reliable (ECR's stays at the first boundary,
   * aws/containers-roadmap#2831). Returns how many bytes are new.
   */
  accept({ from, end, stored = end }: Chunk): number {
    const isTrusted = this.#accepts.trustsRange && stored < end;
    const next = isTrusted ? Math.max(stored, from) : end;
    if (isTrusted) this.#accepts = { ...this.#accepts, trustsRange: false };
    this.#moveTo(next);
    const fresh = next - this.#best;
    if (fresh <= 0) return 0;
    this.#best = next;
    this.#restarts = 0;
    this.#corrections = 0;
    return fresh;
  }

  /** Continues at `stored` if the registry named it, otherwise at the last acknowledged byte. */
  settle(stored: number | undefined): void {
    this.#isUnsure = false;
    if (stored !== undefined && stored <= this.#sent) this.#moveTo(stored);
  }

  /** Starts again at the first byte, in a new session. */
  restart(): void {
    this.#isUnsure = false;
    this.#hasFailed = false;
    this.#sent = 0;
    this.#moveTo(0);
  }

  /** Records that it is not known what is stored. @throws `error`. */
  fail(error: unknown): never {
    this.#isUnsure = true;
    this.#hasFailed = true;
    throw error;
  }

  /** Counts a session that the registry lost. @throws `error` when it loses too many. */
  countRestart(error: LambdaPackError): void {
    if (!this.#hasFailed) this.#restarts += 1;
    if (this.#restarts > MAX_RESTARTS) throw error;
  }

  /**
   * Counts a blob that arrived damaged, and has it sent in one piece from now on.
   * @throws `error` when that happens too often.
   */
  countDamage(error: LambdaPackError): void {
    this.#damaged += 1;
    if (this.#damaged > MAX_DAMAGED) throw error;
    this.#accepts = { ...this.#accepts, wholeUpTo: Number.POSITIVE_INFINITY };
  }

  /**
   * Moves to the byte that the registry wants next. Returns false if a new session has to start
   * instead.
   * @throws `error` when the registry corrects too often.
   */
  correct(wanted: number | undefined, error: LambdaPackError): boolean {
    this.#corrections += 1;
    if (wanted === undefined || wanted > this.#sent || this.#corrections > MAX_CORRECTIONS) {
      this.countRestart(error);
      return false;
    }
    this.#moveTo(wanted);
    return true;
  }

  /**
   * Halves the chunk size, because something in front of the registry limits the size of a request
   * (nginx: 1 MiB by default).
   * @throws `error` when the chunks cannot be smaller.
   */
  shrink(minChunk: number, error: LambdaPackError): void {
    const smaller = Math.floor(Math.min(this.#sent - this.#acked, this.#size) / 2);
    const isWhole = this.#accepts.wholeUpTo === Number.POSITIVE_INFINITY;
    if (smaller < Math.max(SMALLEST_CHUNK, minChunk) || isWhole) throw error;
    this.#accepts = { ...this.#accepts, wholeUpTo: 0, chunkSize: smaller };
    this.#sent = this.#acked;
  }

  #moveTo(offset: number): void {
    this.#acked = offset;
    this.#onBytes?.(offset);
  }
}
