import type { Cache } from "../cache/cache.ts";
import { hasCode } from "../errors.ts";
import type { OnEvent } from "../events.ts";
import type { Content } from "../oci/content.ts";
import type { Watch } from "../oci/store.ts";
import { DamagedAnswer } from "../registry/errors/error.ts";

/** Damage that comes three times is not on the way but at the registry. */
const TRIES = 3;

export interface Fetching extends Watch {
  readonly emit: OnEvent;
}

/**
 * Afterwards the cache holds a blob of a registry, whole and verified. Whether a large blob is damaged shows only when all of it is there:
 * then it is fetched again, from its first byte.
 * @throws CONTENT_MISMATCH when it comes damaged three times, and what reading and writing throw.
 */
export async function fetchInto(cache: Cache, content: Content, fetching: Fetching): Promise<Content> {
  const { digest } = content.descriptor;
  const what = `read the blob ${digest}`;
  for (let attempt = 1; ; attempt++) {
    try {
      return await cache.keep(content, fetching);
    } catch (error) {
      if (!hasCode(error, "CONTENT_MISMATCH") || error instanceof DamagedAnswer) throw error;
      if (attempt === TRIES) throw stillDamaged(content, error);
      fetching.emit({
        type: "retrying",
        what,
        attempt: attempt + 1,
        waitMs: 0,
        reason: "CONTENT_MISMATCH",
      });
    }
  }
}

function stillDamaged({ descriptor, origin }: Content, cause: unknown): DamagedAnswer {
  const from = origin ? ` of ${origin.registry}/${origin.repository}` : "";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DamagedAnswer(`${descriptor.digest}${from} came damaged ${TRIES} times: ${why}`);
}
