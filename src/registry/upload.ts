import { abortable } from "../async/abortable.ts";
import { retry } from "../async/retry.ts";
import { LambdaPackError } from "../errors.ts";
import { type Content, verified } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Growing, Watch } from "../oci/store.ts";
import { headBlob } from "./blobs.ts";
import type { RegistryClient } from "./client.ts";
import type { Attempts } from "./errors/retry.ts";
import type { BlobHolders } from "./holders.ts";
import type { HttpBody } from "./http/http.ts";
import { type StartedUpload, StreamingUploads } from "./streaming-upload.ts";
import { UploadProgress } from "./upload-progress.ts";
import { explainReset, uploadRefusal } from "./upload-refusal.ts";
import { mountOrStart, partOf, type UploadSession } from "./upload-session.ts";

/** Returns all uploads into one repository. */
export function createUploads(client: RegistryClient, holders: BlobHolders) {
  const distrusted = new Set<string>();
  const endings = new Set<Promise<void>>();
  const streaming = new StreamingUploads(client);
  const running = new Map<Digest, Promise<"uploaded" | "mounted">>();

  return {
    async put(content: Content, watch: Watch = {}): Promise<"uploaded" | "mounted"> {
      const { digest } = content.descriptor;
      const { signal } = watch;
      // If the other upload fails, perhaps because its signal aborted, a waiting caller takes over.
      for (let other = running.get(digest); other; other = running.get(digest)) {
        const shared = other.catch(() => undefined);
        const how = await abortable(shared, signal);
        if (how) return how;
      }
      const announced = holders.announce(client, content);
      const source = async () => (distrusted.has(digest) ? undefined : announced.source());
      const take = () => streaming.take(digest);
      const upload = new Upload({ client, content, watch, source, take });
      const attempts = client.attempts({ action: "send the blob", subject: digest });
      const uploading = retry(() => upload.advance(attempts), attempts.policy(signal));
      running.set(digest, uploading);
      let hasSucceeded = false;
      try {
        const how = await uploading;
        hasSucceeded = true;
        return how;
      } catch (error) {
        endings.add(upload.abort(signal?.aborted ? ABORT_WHEN_STOPPED_MS : ABORT_MS));
        throw error;
      } finally {
        running.delete(digest);
        await announced.end(hasSucceeded);
      }
    },
    /** Records that the registry lacks blobs that it claimed to have: they are sent, not mounted. */
    distrust(digests: readonly string[]): void {
      for (const digest of digests) distrusted.add(digest);
    },
    sendAhead: (growing: Growing, signal: AbortSignal) => streaming.start(growing, signal),
    /** Waits a short time for abandoned sessions to be ended at the registry. */
    async close(): Promise<void> {
      await Promise.all([...endings, streaming.close()]);
    },
  };
}

/** How long ending an abandoned session may take. */
const ABORT_MS = 5_000;
const ABORT_WHEN_STOPPED_MS = 700;

interface UploadOptions {
  readonly client: RegistryClient;
  readonly content: Content;
  readonly watch: Watch;
  /** Returns a repository of the registry to mount the blob from; undefined: none is known. */
  readonly source: () => Promise<string | undefined>;
  /** Returns the upload that was started while the layer was packed, if there is one. */
  readonly take: () => Promise<StartedUpload | undefined>;
}

/** Mounting only saves work: after this many failures the blob is sent. */
const MAX_MOUNTS = 3;

/** The upload of one blob, over as many requests, connections and sessions as it takes. */
class Upload {
  readonly #options: UploadOptions;
  readonly #progress: UploadProgress;
  #mounts = 0;
  #session: UploadSession | undefined;
  #resets = 0;
  readonly #lookUpFailures = { count: 0 };

  constructor(options: UploadOptions) {
    const { client, content, watch } = options;
    this.#options = options;
    this.#progress = new UploadProgress(content.descriptor.size, client.traits, watch.onBytes);
  }

  /** Sends all after the last acknowledged byte. It is called again after a temporary failure. */
  async advance(attempts: Attempts): Promise<"uploaded" | "mounted"> {
    const { content, watch } = this.#options;
    const { size } = content.descriptor;
    for (;;) {
      try {
        const session = await this.#ready();
        if (typeof session === "string") return session;
        const { from, end } = this.#progress.nextChunk(session.minChunk);
        const body = this.#body(from, end, attempts);
        if (end === size) {
          await session.commit(content.descriptor, body, from, watch.signal);
          watch.onBytes?.(size);
          return "uploaded";
        }
        const stored = await session.write(body, from, watch.signal);
        attempts.moved(this.#progress.accept({ from, end, stored }));
      } catch (error) {
        if (await this.#recover(error, attempts)) return "uploaded";
      }
    }
  }

  /** Ends the session, if one is open; best effort, for at most `ms` milliseconds. */
  async abort(ms: number): Promise<void> {
    await this.#session?.abort(AbortSignal.timeout(ms));
  }

  /** Returns the session to send to, or how the blob got there without one. */
  async #ready(): Promise<UploadSession | "uploaded" | "mounted"> {
    if (this.#session && this.#progress.isUnsure && (await this.#settle(this.#session))) return "uploaded";
    this.#session ??= await this.#open();
    return this.#session ?? "mounted";
  }

  /** Opens a session; returns undefined if the registry has mounted the blob instead. */
  async #open(): Promise<UploadSession | undefined> {
    const { client, content, watch, source, take } = this.#options;
    const { signal } = watch;
    const started = await take();
    if (started) this.#progress.continueFrom(started);
    if (started) return started.session;
    const from = this.#mounts < MAX_MOUNTS ? await abortable(source(), signal) : undefined;
    this.#mounts += 1;
    try {
      const session = await mountOrStart(client, content.descriptor, from, signal);
      this.#mounts = MAX_MOUNTS;
      return session === "mounted" ? undefined : session;
    } catch (error) {
      this.#resets += 1;
      throw await explainReset(client, error, this.#resets, signal);
    }
  }

  #body(from: number, end: number, attempts: Attempts): HttpBody {
    const { content, watch } = this.#options;
    const { onBytes, signal } = watch;
    return partOf(content, from, end, {
      signal,
      // An error in reading the content is not the registry's, so it is never retried.
      onBroken: () => attempts.giveUp(),
      onSent: (bytes) => {
        attempts.moved(0);
        onBytes?.(from + bytes);
      },
    });
  }

  /** Finds out what is stored after a failed request. Returns true if the blob is there. */
  async #settle(session: UploadSession): Promise<boolean> {
    const progress = this.#progress;
    if (progress.isClosing && (await this.#isThere())) return true;
    const { client, watch } = this.#options;
    const { afterCut } = client.traits;
    const stored = afterCut === "ask" ? await session.status(watch.signal) : undefined;
    if (stored === "gone" || afterCut === "restart") this.#restart();
    else progress.settle(stored);
    return false;
  }

  /** A closing PUT that failed may still have stored the blob (measured on distribution 2.8). */
  #isThere(): Promise<boolean> {
    const { client, content, watch } = this.#options;
    return headBlob(client, content.descriptor, watch.signal, this.#lookUpFailures);
  }

  /**
   * Prepares the next step after a failure. Returns true if the repository has the blob after all.
   * @throws `error` when it needs a pause before the next attempt, or ends the upload.
   */
  async #recover(error: unknown, attempts: Attempts): Promise<boolean> {
    const progress = this.#progress;
    if (!this.#session || attempts.isGivenUp) throw error;
    if (!(error instanceof LambdaPackError)) return progress.fail(error);
    if (error.code === "CONTENT_MISMATCH") {
      this.#restart(); // the registry stored other bytes: all are sent again
      throw error;
    }
    const meaning = uploadRefusal(error);
    // An empty closing PUT fails on ECR after several PATCHes (cirruslabs/tart#159).
    if (progress.hasClosedEmpty && meaning?.kind === "final" && error.answer?.status === 500) {
      progress.countRestart(error);
      return this.#restart();
    }
    switch (meaning?.kind) {
      case "misplaced":
        return progress.correct(meaning.wanted, error) ? false : this.#restart();
      case "gone":
        if (progress.isClosing && (await this.#isThere())) return true;
        progress.countRestart(error);
        return this.#restart();
      case "damaged":
        await this.#verifyContent(error, attempts);
        progress.countRestart(error);
        return this.#restart();
      case "too-large":
        progress.shrink(this.#session.minChunk, error);
        return false;
      default:
        return progress.fail(error);
    }
  }

  /** Makes the next step start a new session at the blob's first byte. */
  #restart(): false {
    this.#session = undefined;
    this.#progress.restart();
    return false;
  }

  /** Checks the content after other bytes arrived: if it is intact, it is sent again. */
  async #verifyContent(error: LambdaPackError, attempts: Attempts): Promise<void> {
    this.#progress.countDamage(error);
    try {
      const { content, watch } = this.#options;
      for await (const _ of verified(content, watch.signal));
    } catch (broken) {
      attempts.giveUp();
      throw broken;
    }
  }
}
