import type { Digest } from "../oci/digest.ts";
import type { Growing } from "../oci/store.ts";
import type { RegistryClient } from "./client.ts";
import { type Started, uploadAhead } from "./upload-ahead.ts";

/** Uploads that began before their digest was known, until somebody puts what they are of. */
export interface Ahead {
  send(growing: Growing, signal: AbortSignal): void;
  /** The upload of this digest, to be gone on with; undefined where there is none, or it failed. */
  take(digest: Digest): Promise<Started | undefined>;
  /** Ends, best effort, those that nobody took. */
  close(): Promise<void>;
}

const ABORT_MS = 700;

export function createAhead(client: RegistryClient): Ahead {
  const underWay = new Set<Promise<Started | undefined>>();
  const wanted = new Set<Promise<Started | undefined>>();
  const byDigest = new Map<Digest, Promise<Started | undefined>>();
  const stop = new AbortController();
  return {
    send(growing, signal) {
      const upload: Promise<Started | undefined> = uploadAhead(client, growing, {
        signal: AbortSignal.any([signal, stop.signal]),
        isWanted: () => wanted.has(upload),
      });
      underWay.add(upload);
      const know = ({ descriptor }: { readonly descriptor: { readonly digest: Digest } }) =>
        void byDigest.set(descriptor.digest, upload);
      growing.whole.then(know, () => undefined);
    },
    async take(digest) {
      const upload = byDigest.get(digest);
      if (upload === undefined) return undefined;
      byDigest.delete(digest);
      wanted.add(upload);
      const started = await upload;
      underWay.delete(upload);
      return started;
    },
    async close() {
      stop.abort();
      const left = await Promise.all(underWay);
      await Promise.all(left.map((started) => started?.session.abort(AbortSignal.timeout(ABORT_MS))));
    },
  };
}
