import { REAL_PACING, retry } from "../async/retry.ts";
import type { Cache } from "../cache/cache.ts";
import { hasCode, LambdaPackError, messageOf } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Content } from "../oci/content.ts";
import type { Watch } from "../oci/store.ts";
import { damaged } from "../registry/errors/refusal.ts";
import type { Session } from "./session.ts";

/** A blob that is damaged three times is damaged at the registry, not in transit. */
const ATTEMPTS = 3;

interface FetchOptions extends Watch {
  readonly emit: OnEvent;
}

/** Returns the same content, read from the cache. The first read fetches it into the cache. */
export function throughCache(content: Content, { cache, emit }: Session): Content {
  const { digest, size } = content.descriptor;
  const onBytes = (received: number) => emit({ type: "download-progress", digest, received, size });
  const local = async (signal?: AbortSignal): Promise<Content> =>
    (await cache.find(digest, size)) ?? fetchInto(cache, content, { signal, onBytes, emit });
  return {
    ...content,
    local,
    async *read(from, signal) {
      yield* (await local(signal)).read(from, signal);
    },
  };
}

/**
 * Fetches a blob into the cache and verifies it. Damage is found only after the last byte; the blob
 * is then fetched again from its first byte.
 * @throws CONTENT_MISMATCH when it is damaged three times, and any error of reading and writing.
 */
export function fetchInto(cache: Cache, content: Content, options: FetchOptions): Promise<Content> {
  const what = `read the blob ${content.descriptor.digest}`;
  return retry(() => cache.keep(content, options), {
    pacing: REAL_PACING,
    signal: options.signal,
    delayAfter: (error, attempt) => {
      if (!isNewDamage(error)) return undefined;
      if (attempt === ATTEMPTS) throw stillDamaged(content, error);
      return 0;
    },
    onRetry: ({ attempt, waitMs }) =>
      options.emit({ type: "retrying", what, attempt, waitMs, reason: "CONTENT_MISMATCH" }),
  });
}

/** Returns whether the registry's client has not retried the damage already. */
function isNewDamage(error: unknown): boolean {
  return (
    hasCode(error, "CONTENT_MISMATCH") && error instanceof LambdaPackError && error.attempts === undefined
  );
}

function stillDamaged({ descriptor, origin }: Content, cause: unknown): LambdaPackError {
  const from = origin ? ` of ${origin.registry}/${origin.repository}` : "";
  return damaged(`${descriptor.digest}${from} came damaged ${ATTEMPTS} times: ${messageOf(cause)}`);
}
