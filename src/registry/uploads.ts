import type { Content } from "../oci/content.ts";
import type { Digest } from "../oci/digest.ts";
import type { Growing, ImageSink, Watch } from "../oci/store.ts";
import { createAhead } from "./ahead.ts";
import type { RegistryClient } from "./client.ts";
import { SourceError } from "./http/part.ts";
import { Upload } from "./upload.ts";

/** Every upload into one repository. */
export interface Uploads {
  /** Afterwards the repository has the content. The same content put twice at once goes once. */
  put(content: Content, watch: Watch): Promise<"uploaded" | "mounted">;
  /** The registry lacks blobs that it said it had: they are not mounted again but sent. */
  distrust(digests: readonly Digest[]): void;
  /** As {@link ImageSink.sendAhead}. */
  sendAhead(growing: Growing, signal: AbortSignal): void;
  /** Waits, not long, until sessions that were given up are ended at the registry. */
  close(): Promise<void>;
}

/** How long a registry is given to hear that an upload will not go on; a stopped user does not wait as long as a failed push. */
const ABORT_MS = 5_000;
const ABORT_WHEN_STOPPED_MS = 700;

export function createUploads(client: RegistryClient): Uploads {
  const underWay = new Map<Digest, Promise<"uploaded" | "mounted">>();
  const distrusted = new Set<Digest>();
  const endings = new Set<Promise<void>>();
  const ahead = createAhead(client);

  function abandon(upload: Upload, { signal }: Watch): void {
    const patience = AbortSignal.timeout(signal?.aborted ? ABORT_WHEN_STOPPED_MS : ABORT_MS);
    const ending = upload.abort(patience).finally(() => endings.delete(ending));
    endings.add(ending);
  }

  async function send(content: Content, watch: Watch): Promise<"uploaded" | "mounted"> {
    const { digest } = content.descriptor;
    const begun = await ahead.take(digest);
    const mountFrom = begun || distrusted.has(digest) ? undefined : mountable(client, content);
    const upload = new Upload(client, content, { begun, mountFrom }, watch);
    try {
      return await client.persist(
        { action: "send the blob", subject: digest, signal: watch.signal },
        (tries) => upload.advance(tries),
      );
    } catch (error) {
      abandon(upload, watch);
      throw error instanceof SourceError ? error.cause : error;
    }
  }

  return {
    async put(content, watch) {
      const { digest } = content.descriptor;
      // Whoever waits for another's upload takes over when that one fails: its signal may be the reason.
      for (let other = underWay.get(digest); other; other = underWay.get(digest)) {
        const how = await unlessAborted(
          other.catch(() => undefined),
          watch.signal,
        );
        if (how) return how;
      }
      const sending = send(content, watch).finally(() => underWay.delete(digest));
      underWay.set(digest, sending);
      return sending;
    },
    distrust(digests) {
      for (const digest of digests) distrusted.add(digest);
    },
    sendAhead: ahead.send,
    async close() {
      await Promise.all([...endings, ahead.close()]);
    },
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener("abort", stop));
}

/** The repository of the same registry that has the content, where the registry can mount. */
function mountable(
  { registry, repository, traits }: RegistryClient,
  { origin }: Content,
): string | undefined {
  if (!traits.mounts || origin?.registry !== registry || origin.repository === repository) return undefined;
  return origin.repository;
}
