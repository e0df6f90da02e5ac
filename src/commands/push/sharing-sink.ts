import type { ImageSink } from "../../oci/store.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import type { Session } from "../../session/session.ts";

/** A repository that has a blob or is being sent it. */
interface Holder {
  readonly repository: string;
  /** Ends when the blob is there; rejects where it could not be sent. */
  readonly sending: Promise<unknown>;
}

/** By registry and digest, for each session: the first repository that each blob went to. */
const holdersOf = new WeakMap<Session, Map<string, Holder>>();

/**
 * The same place for images. A blob that another repository of its registry has been sent in this
 * session is mounted from there, and one that is on its way there is waited for: the images of
 * several functions often share their layers.
 */
export function sharingSink(sink: ImageSink, location: ImageLocation, session: Session): ImageSink {
  if (location.kind !== "registry") return sink;
  const { registry, repository } = location.reference;
  const holders = holdersOf.get(session) ?? new Map<string, Holder>();
  holdersOf.set(session, holders);
  const keyOf = (digest: string) => `${registry} ${digest}`;
  const hold = <T>(digest: string, sending: Promise<T>): Promise<T> => {
    if (!holders.has(keyOf(digest))) holders.set(keyOf(digest), { repository, sending });
    return sending;
  };
  return {
    ...sink,
    async has(descriptor, signal) {
      const isThere = await sink.has(descriptor, signal);
      if (isThere) await hold(descriptor.digest, Promise.resolve());
      return isThere;
    },
    async put(blob, watch) {
      const { digest } = blob.descriptor;
      const holder = holders.get(keyOf(digest));
      if (!holder || holder.repository === repository) return hold(digest, sink.put(blob, watch));
      const isThere = await holder.sending.then(
        () => true,
        () => false,
      );
      watch?.signal?.throwIfAborted();
      const origin = { registry, repository: holder.repository };
      return sink.put(isThere && !blob.origin ? { ...blob, origin } : blob, watch);
    },
  };
}
