import { type Exchange, problem, type Reply } from "../http/wire.ts";
import type { EcrState, Place } from "../state.ts";
import { ranged } from "./storage.ts";

const UNKNOWN = problem(404, "BLOB_UNKNOWN", "blob unknown to registry");

/** Q16: HEAD. */
export function headBlob(
  { quirks }: EcrState,
  { url }: Exchange,
  { repository }: Place,
  digest: string,
): Reply {
  // ECR Public refuses who asks, whatever token he has (containers-roadmap#2671).
  if (!quirks.headBlob) return { status: 401, headers: { "www-authenticate": bearerChallenge(url) } };
  const bytes = repository.blobs.get(digest);
  if (!bytes) return UNKNOWN;
  return {
    status: 200,
    headers: {
      "content-length": String(bytes.length),
      "content-type": "application/octet-stream",
      "docker-content-digest": digest,
    },
  };
}

/** Q15: GET, from storage or from here. */
export function getBlob(state: EcrState, exchange: Exchange, { repository }: Place, digest: string): Reply {
  const bytes = repository.blobs.get(digest);
  if (!bytes) return UNKNOWN;
  const redirect = state.quirks.blobRedirect;
  if (redirect === "direct") return ranged(bytes, exchange.headers.range);
  return {
    status: 307,
    headers: { location: state.storage.link(state.storageOrigin(), bytes, redirect.seconds) },
  };
}

export function bearerChallenge({ protocol, host }: URL): string {
  return `Bearer realm="${protocol}//${host}/token/",service="${host}",scope="aws"`;
}
