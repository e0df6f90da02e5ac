import type { Digest } from "../oci/digest.ts";
import type { Growing } from "../oci/store.ts";
import type { RegistryClient } from "./client.ts";
import type { HttpBody } from "./http/http.ts";
import { startUpload, type UploadSession } from "./upload-session.ts";

/** An upload that began before all its bytes were written. */
export interface StartedUpload {
  readonly session: UploadSession;
  /** Bytes that the registry has acknowledged. */
  readonly acked: number;
  /** The end of what was sent. */
  readonly sent: number;
}

/** Uploads of layers that are still being packed. */
interface StreamingUploads {
  /** Starts sending `growing` in chunks. Failures are not reported: it only saves time. */
  start(growing: Growing, signal: AbortSignal): void;
  /** Returns the upload of this digest for the caller to continue, unless nothing was sent. */
  take(digest: Digest): Promise<StartedUpload | undefined>;
  /** Ends the uploads that were not taken, best effort. */
  close(): Promise<void>;
}

/** In bytes. Small enough to begin early; ECR accepts none below 5 MiB. */
const CHUNK = 8 * 1024 * 1024;
/** In bytes. The closing PUT sends a rest of up to this size; smaller layers are not streamed. */
const LAST_CHUNK = 1024 * 1024;
const ABORT_MS = 700;

export function createStreamingUploads(client: RegistryClient): StreamingUploads {
  const running = new Set<Promise<StartedUpload | undefined>>();
  const wanted = new Set<Promise<StartedUpload | undefined>>();
  const byDigest = new Map<Digest, Promise<StartedUpload | undefined>>();
  const stop = new AbortController();
  return {
    start(growing, signal) {
      const upload: Promise<StartedUpload | undefined> = streamUpload(client, growing, {
        signal: AbortSignal.any([signal, stop.signal]),
        isWanted: () => wanted.has(upload),
      });
      running.add(upload);
      growing.whole.then(
        ({ descriptor }) => byDigest.set(descriptor.digest, upload),
        () => undefined,
      );
    },
    async take(digest) {
      const upload = byDigest.get(digest);
      if (upload === undefined) return undefined;
      byDigest.delete(digest);
      wanted.add(upload);
      const started = await upload;
      running.delete(upload);
      return started;
    },
    async close() {
      stop.abort();
      const left = await Promise.all(running);
      await Promise.all(left.map((started) => started?.session.abort(AbortSignal.timeout(ABORT_MS))));
    },
  };
}

interface StreamOptions {
  readonly signal: AbortSignal;
  /** Returns true once a caller waits to continue: the chunk being sent is then the last. */
  readonly isWanted: () => boolean;
}

/**
 * Sends growing bytes in chunks, all but a rest for the closing PUT. An error ends it: the caller
 * that continues finds out what the registry has, or starts again. Returns undefined if nothing was
 * sent.
 */
async function streamUpload(
  client: RegistryClient,
  growing: Growing,
  { signal, isWanted }: StreamOptions,
): Promise<StartedUpload | undefined> {
  // A registry that accepts no chunks (GHCR, Artifact Registry) gets the whole blob at the end.
  if (client.traits.wholeUpTo === Number.POSITIVE_INFINITY) return undefined;
  let started: StartedUpload | undefined;
  try {
    for (;;) {
      const from = started?.acked ?? 0;
      const allowed = started?.session.minChunk ?? client.traits.minChunk;
      const size = Math.max(CHUNK, allowed);
      const there = await growing.reach(from + size + 1);
      const least = there > from + size ? size : Math.max(LAST_CHUNK, allowed);
      if (there <= from + least || isWanted()) return started;
      started ??= await begin(client, signal);
      if (started.session.minChunk > least) continue;
      const to = Math.min(there - 1, from + Math.max(client.traits.chunkSize, size));
      started = { ...started, sent: to };
      await started.session.write(bodyOf(growing, from, to, signal), from, signal);
      started = { ...started, acked: to };
    }
  } catch {
    // The caller that continues the upload meets the same error, and reports it.
    return started;
  }
}

async function begin(client: RegistryClient, signal: AbortSignal): Promise<StartedUpload> {
  const session = await startUpload(client, "a layer that is being packed", signal);
  return { session, acked: 0, sent: 0 };
}

function bodyOf(growing: Growing, from: number, to: number, signal: AbortSignal): HttpBody {
  return { length: to - from, read: () => growing.read(from, to, signal) };
}
