import type { Digest } from "../oci/digest.ts";
import type { Growing } from "../oci/store.ts";
import type { RegistryClient } from "./client.ts";
import { startUpload, type UploadSession } from "./upload-session.ts";

/** An upload that began before all its bytes were written. */
export interface StartedUpload {
  readonly session: UploadSession;
  /** Bytes that the registry has acknowledged. */
  readonly acked: number;
  /** The end of what was sent. */
  readonly sent: number;
}

/** In bytes. Small enough to begin early; ECR accepts none below 5 MiB. */
const CHUNK = 8 * 1024 * 1024;
/** In bytes. The closing PUT sends a rest of up to this size; smaller layers are not streamed. */
const LAST_CHUNK = 1024 * 1024;
const ABORT_MS = 700;

interface Streaming {
  readonly upload: Promise<StartedUpload | undefined>;
  /** A caller waits to continue the upload: the chunk being sent is the last. */
  isWanted: boolean;
}

/** Uploads of layers that are still being packed. */
export class StreamingUploads {
  readonly #client: RegistryClient;
  readonly #running = new Set<Streaming>();
  readonly #byDigest = new Map<Digest, Streaming>();
  readonly #stop = new AbortController();

  constructor(client: RegistryClient) {
    this.#client = client;
  }

  /** Starts sending `growing` in chunks. Failures are not reported: it only saves time. */
  start(growing: Growing, outer: AbortSignal): void {
    // A registry that accepts no chunks (GHCR, Artifact Registry) gets the whole blob at the end.
    if (this.#client.traits.wholeUpTo === Number.POSITIVE_INFINITY) return;
    const signal = AbortSignal.any([outer, this.#stop.signal]);
    const streaming: Streaming = {
      upload: streamUpload(this.#client, growing, () => streaming.isWanted, signal),
      isWanted: false,
    };
    this.#running.add(streaming);
    growing.whole.then(
      ({ descriptor }) => this.#byDigest.set(descriptor.digest, streaming),
      () => undefined,
    );
  }

  /** Returns the upload of this digest for the caller to continue, unless nothing was sent. */
  async take(digest: Digest): Promise<StartedUpload | undefined> {
    const streaming = this.#byDigest.get(digest);
    if (!streaming) return undefined;
    this.#byDigest.delete(digest);
    streaming.isWanted = true;
    const started = await streaming.upload;
    this.#running.delete(streaming);
    return started;
  }

  /** Ends the uploads that were not taken, best effort. */
  async close(): Promise<void> {
    this.#stop.abort();
    const left = await Promise.all([...this.#running].map(({ upload }) => upload));
    await Promise.all(left.map((started) => started?.session.abort(AbortSignal.timeout(ABORT_MS))));
  }
}

/**
 * Sends growing bytes in chunks, all but a rest for the closing PUT. An error ends it: the caller
 * that continues finds out what the registry has, or starts again. Returns undefined if nothing was
 * sent.
 */
async function streamUpload(
  client: RegistryClient,
  growing: Growing,
  isWanted: () => boolean,
  signal: AbortSignal,
): Promise<StartedUpload | undefined> {
  const { minChunk, chunkSize } = client.traits;
  let started: StartedUpload | undefined;
  try {
    for (;;) {
      const from = started?.acked ?? 0;
      const allowed = started?.session.minChunk ?? minChunk;
      const size = Math.max(CHUNK, allowed);
      const there = await growing.reach(from + size + 1);
      const least = there > from + size ? size : Math.max(LAST_CHUNK, allowed);
      if (there <= from + least || isWanted()) return started;
      const session = started?.session ?? (await startUpload(client, "a layer that is being packed", signal));
      started ??= { session, acked: 0, sent: 0 };
      if (session.minChunk > least) continue;
      const to = Math.min(there - 1, from + Math.max(chunkSize, size));
      started = { session, acked: from, sent: to };
      await session.write({ length: to - from, read: () => growing.read(from, to, signal) }, from, signal);
      started = { session, acked: to, sent: to };
    }
  } catch {
    // The caller that continues the upload meets the same error, and reports it.
    return started;
  }
}
