import type { Growing } from "../oci/store.ts";
import type { RegistryClient } from "./client.ts";
import type { HttpBody } from "./http/http.ts";
import { startUpload, type UploadSession } from "./upload-session.ts";

/** An upload that has begun before its end was known. */
export interface Started {
  readonly session: UploadSession;
  /** Bytes that the registry has. */
  readonly acked: number;
  /** The furthest byte that it was sent. */
  readonly sent: number;
}

/** Small enough to begin early; ECR takes none below 5 MiB. */
const CHUNK = 8 * 1024 * 1024;

/** Of a layer that is whole by then: little is left for the end, and of a small layer nothing is sent ahead. */
const LAST_CHUNK = 1024 * 1024;

export interface AheadOptions {
  readonly signal: AbortSignal;
  /** Somebody waits to go on with the upload: then the chunk that is under way is the last. */
  readonly isWanted: () => boolean;
}

/**
 * Sends what is there of growing bytes in chunks, all but a rest that the closing PUT takes. A fault ends it: whoever goes on finds out what
 * the registry has, or begins anew. undefined: nothing was sent.
 */
export async function uploadAhead(
  client: RegistryClient,
  growing: Growing,
  { signal, isWanted }: AheadOptions,
): Promise<Started | undefined> {
  // A registry that takes no chunks (GHCR, Artifact Registry) takes the whole at the end.
  if (client.traits.wholeUpTo === Number.POSITIVE_INFINITY) return undefined;
  let started: Started | undefined;
  try {
    for (;;) {
      const from = started?.acked ?? 0;
      const allowed = started?.session.minChunk ?? client.traits.minChunk;
      const wanted = Math.max(CHUNK, allowed);
      const there = await growing.reach(from + wanted + 1);
      const least = there > from + wanted ? wanted : Math.max(LAST_CHUNK, allowed);
      if (there <= from + least || isWanted()) return started;
      started ??= await begin(client, signal);
      if (started.session.minChunk > least) continue;
      const to = Math.min(there - 1, from + Math.max(client.traits.chunkSize, wanted));
      started = { ...started, sent: to };
      await started.session.write(bodyOf(growing, from, to, signal), from, signal);
      started = { ...started, acked: to };
    }
  } catch {
    // Not lost: whoever puts the whole meets the same fault, and tells it.
    return started;
  }
}

async function begin(client: RegistryClient, signal: AbortSignal): Promise<Started> {
  const session = await startUpload(client, "a layer that is being packed", signal);
  return { session, acked: 0, sent: 0 };
}

function bodyOf(growing: Growing, from: number, to: number, signal: AbortSignal): HttpBody {
  return { length: to - from, read: () => growing.read(from, to, signal, "lent") };
}
