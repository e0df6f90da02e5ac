import { type Content, verified } from "../oci/content.ts";
import type { Watch } from "../oci/store.ts";
import { headBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import { DamagedAnswer, Refusal } from "./errors/error.ts";
import { explainHangUp } from "./errors/hang-up.ts";
import type { Tries } from "./errors/retry.ts";
import type { HttpBody } from "./http/http.ts";
import { part } from "./http/part.ts";
import type { Started } from "./upload-ahead.ts";
import { type Chunk, nextOffset } from "./upload-offset.ts";
import { uploadRefusal } from "./upload-refusal.ts";
import { mountOrStart, type UploadSession } from "./upload-session.ts";

/** Sessions that a registry may lose by itself, corrections that it may ask for, and damage that it may find, while no new byte arrives. */
const MAX_RESTARTS = 3;
const MAX_CORRECTIONS = 3;
const MAX_DAMAGED = 2;
/** A limit on the size of requests below this leaves nothing to send. */
const SMALLEST_CHUNK = 64 * 1024;

/** How an upload may begin otherwise than with a POST. */
export interface Beginning {
  readonly begun?: Started | undefined;
  readonly mountFrom?: string | undefined;
}

/**
 * One blob on its way into a repository, over as many requests, connections and sessions as it takes.
 * Only `acked` bytes are known to have arrived; everything after them is read from the content again.
 */
export class Upload {
  readonly #client: RegistryClient;
  readonly #content: Content;
  readonly #watch: Watch;
  readonly #size: number;
  #mountFrom: string | undefined;
  #session: UploadSession | undefined;
  #acked = 0;
  /** The furthest byte that this session was sent. */
  #sent = 0;
  /** The most that ever was acked. */
  #best = 0;
  /** The last request failed without saying what was stored. */
  #unsure = false;
  /** A request of this session failed, so that losing it is no surprise. */
  #shaken = false;
  /** The last request was the closing PUT. */
  #closing = false;
  /** The registry's `Range` was behind once. */
  #doubted = false;
  #wholeUpTo: number;
  #chunkSize: number;
  #restarts = 0;
  #corrections = 0;
  #damaged = 0;
  #hangUps = 0;

  /** `begun` is gone on from, if it is given; else the blob is mounted from `mountFrom`, if that is given. */
  constructor(client: RegistryClient, content: Content, { begun, mountFrom }: Beginning, watch: Watch) {
    this.#session = begun?.session;
    this.#acked = begun?.acked ?? 0;
    this.#sent = begun?.sent ?? 0;
    this.#best = this.#acked;
    this.#unsure = this.#sent > this.#acked;
    this.#shaken = this.#unsure;
    this.#client = client;
    this.#content = content;
    this.#mountFrom = mountFrom;
    this.#watch = watch;
    this.#size = content.descriptor.size;
    this.#wholeUpTo = client.traits.wholeUpTo;
    this.#chunkSize = client.traits.chunkSize;
  }

  /** One pass from what is known to the end. To be called again after a failure that may pass. */
  async advance(tries: Tries): Promise<"uploaded" | "mounted"> {
    for (;;) {
      this.#session ??= await this.#open();
      if (this.#session === undefined) return "mounted";
      try {
        if (await this.#step(this.#session, tries)) return "uploaded";
      } catch (error) {
        if (await this.#mend(error)) return "uploaded";
      }
    }
  }

  /** Ends the session, if one is open; best effort, for as long as `signal` allows. */
  async abort(signal: AbortSignal): Promise<void> {
    await this.#session?.abort(signal);
  }

  /** undefined: there is nothing to send, the registry has mounted the blob. */
  async #open(): Promise<UploadSession | undefined> {
    const { signal } = this.#watch;
    const { descriptor } = this.#content;
    try {
      const session = await mountOrStart(this.#client, descriptor, this.#mountFrom, signal);
      this.#mountFrom = undefined;
      return session === "mounted" ? undefined : session;
    } catch (error) {
      this.#hangUps += 1;
      throw await explainHangUp(this.#client, error, this.#hangUps, signal);
    }
  }

  /** True: the blob is there. */
  async #step(session: UploadSession, tries: Tries): Promise<boolean> {
    if (this.#unsure) return this.#settle(session);
    const chunk = this.#size <= this.#wholeUpTo ? this.#size : Math.max(this.#chunkSize, session.minChunk);
    const from = this.#acked;
    const end = Math.min(this.#size, from + chunk);
    this.#closing = end === this.#size;
    this.#sent = Math.max(this.#sent, end);
    const body = this.#body(from, end, tries);
    if (this.#closing) {
      await session.commit(this.#content.descriptor, body, from, this.#watch.signal);
      this.#watch.onBytes?.(this.#size);
      return true;
    }
    const stored = await session.write(body, from, this.#watch.signal);
    this.#moveTo(this.#afterChunk({ from, end, stored }));
    this.#progressed(tries);
    return false;
  }

  /** Where the next chunk starts; a `Range` that stays behind twice is not listened to again (chalk's "sent position"). */
  #afterChunk(chunk: Chunk): number {
    const next = nextOffset(chunk, this.#client.traits.trustsRange && !this.#doubted);
    if (next < chunk.end) this.#doubted = true;
    return next;
  }

  #moveTo(offset: number): void {
    this.#acked = offset;
    this.#watch.onBytes?.(offset);
  }

  #progressed(tries: Tries): void {
    if (this.#acked <= this.#best) return;
    tries.moved(this.#acked - this.#best);
    this.#best = this.#acked;
    this.#restarts = 0;
    this.#corrections = 0;
  }

  #body(from: number, end: number, tries: Tries): HttpBody {
    const { onBytes, signal } = this.#watch;
    return {
      length: end - from,
      read: () => part(this.#content.read(from, signal, "lent"), end - from),
      onSent: (bytes) => {
        tries.moved(0);
        onBytes?.(from + bytes);
      },
    };
  }

  /** Finds out what the failed request left behind. True: the blob is there. */
  async #settle(session: UploadSession): Promise<boolean> {
    if (this.#closing && (await this.#isThere())) return true;
    const { afterCut } = this.#client.traits;
    const stored = afterCut === "ask" ? await session.status(this.#watch.signal) : undefined;
    if (stored === "gone" || afterCut === "restart") this.#reset();
    else if (stored !== undefined && stored <= this.#sent) this.#moveTo(stored);
    this.#unsure = false;
    return false;
  }

  /** An upload whose closing PUT was answered with an error, or not at all, may have ended well (measured on distribution 2.8). */
  #isThere(): Promise<boolean> {
    return headBlob(this.#client, this.#content.descriptor, this.#watch.signal, "once");
  }

  /** Draws the consequence of a failure. True: the blob is there all the same. @throws what has to be waited for, or cannot be mended. */
  async #mend(error: unknown): Promise<boolean> {
    if (error instanceof DamagedAnswer) this.#reset();
    if (!(error instanceof Refusal)) return this.#fail(error);
    const meaning = uploadRefusal(error);
    const closedEmpty = this.#closing && this.#acked === this.#size && this.#size > 0;
    // An empty closing PUT fails on ECR after several PATCHes (cirruslabs/tart#159).
    if (closedEmpty && meaning.kind === "final" && error.status === 500) return this.#restart(error);
    switch (meaning.kind) {
      case "misplaced":
        return this.#realign(meaning.wanted, error);
      case "gone":
        return (this.#closing && (await this.#isThere())) || this.#restart(error);
      case "damaged":
        return this.#resend(error);
      case "too-large":
        return this.#shrink(error);
      case "final":
        return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    this.#unsure = this.#session !== undefined;
    this.#shaken = this.#unsure;
    throw error;
  }

  async #realign(wanted: number | undefined, error: Refusal): Promise<false> {
    this.#corrections += 1;
    if (wanted === undefined || wanted > this.#sent || this.#corrections > MAX_CORRECTIONS)
      return this.#restart(error);
    this.#moveTo(wanted);
    return false;
  }

  #restart(error: Refusal): false {
    if (!this.#shaken) this.#restarts += 1;
    if (this.#restarts > MAX_RESTARTS) throw error;
    this.#reset();
    return false;
  }

  #reset(): void {
    this.#session = undefined;
    this.#unsure = false;
    this.#shaken = false;
    this.#sent = 0;
    this.#moveTo(0);
  }

  /** The registry got other bytes than we meant. Are ours what they should be? Then once more, in one piece. */
  async #resend(error: Refusal): Promise<false> {
    this.#damaged += 1;
    if (this.#damaged > MAX_DAMAGED) throw error;
    for await (const _ of verified(this.#content, this.#watch.signal));
    this.#wholeUpTo = Number.POSITIVE_INFINITY;
    return this.#restart(error);
  }

  /** Something in front of the registry limits the size of a request (nginx: 1 MiB unless told otherwise). */
  #shrink(error: Refusal): false {
    const smaller = Math.floor(Math.min(this.#sent - this.#acked, this.#size) / 2);
    const smallest = Math.max(SMALLEST_CHUNK, this.#session?.minChunk ?? 0);
    if (smaller < smallest || this.#client.traits.wholeUpTo === Number.POSITIVE_INFINITY) throw error;
    this.#wholeUpTo = 0;
    this.#chunkSize = smaller;
    this.#sent = this.#acked;
    return false;
  }
}
