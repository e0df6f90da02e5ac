import type { IncomingMessage } from "node:http";

/** What a request is about, in the words of distribution-spec's table of end-points. */
export type RequestKind =
  | "ping"
  | "token"
  | "head manifest"
  | "get manifest"
  | "put manifest"
  | "head blob"
  | "get blob"
  | "start upload"
  | "mount"
  | "patch upload"
  | "put upload"
  | "upload status"
  | "cancel upload"
  | "tags"
  | "redirected blob"
  | "other";

/** One request as the registry saw it. */
export interface Seen {
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly repository: string;
  /** Tag or digest at the end of the path. */
  readonly reference: string;
  /** The how-manieth of its kind, from 1. */
  readonly count: number;
  /** Bytes of its body that arrived; grows while they come. */
  received: number;
}

/** A connection is closed without an answer. */
export class Hangup extends Error {}

export function targetOf(
  method: string,
  url: URL,
  redirected: boolean,
): Pick<Seen, "kind" | "repository" | "reference"> {
  const path = url.pathname;
  const read = method === "HEAD" ? "head" : "get";
  if (redirected) {
    const cut = path.lastIndexOf("/");
    return {
      kind: "redirected blob",
      repository: path.slice(1, cut),
      reference: decodeURIComponent(path.slice(cut + 1)),
    };
  }
  if (path === "/v2/") return { kind: "ping", repository: "", reference: "" };
  if (path === "/token") return { kind: "token", repository: "", reference: "" };
  const [, repository = "", what = "", reference = ""] =
    /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|tags)\/([^/]*)$/.exec(path) ?? [];
  const at = { repository, reference: decodeURIComponent(reference) };
  if (what === "manifests") return { kind: method === "PUT" ? "put manifest" : `${read} manifest`, ...at };
  if (what === "blobs" && ["GET", "HEAD"].includes(method)) return { kind: `${read} blob`, ...at };
  if (what === "tags") return { kind: "tags", ...at };
  return { kind: what === "blobs/uploads" ? uploadKind(method, url) : "other", ...at };
}

function uploadKind(method: string, url: URL): RequestKind {
  const kinds: Readonly<Record<string, RequestKind>> = {
    POST: url.searchParams.has("mount") ? "mount" : "start upload",
    PATCH: "patch upload",
    PUT: "put upload",
    GET: "upload status",
    DELETE: "cancel upload",
  };
  return kinds[method] ?? "other";
}

/** Reads the body; with `cutAt`, that many bytes of it. */
export async function readAll(
  request: IncomingMessage,
  seen: Seen,
  cutAt = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  if (cutAt === 0) return Buffer.alloc(0);
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      const kept = chunk.subarray(0, cutAt - seen.received);
      seen.received += kept.length;
      chunks.push(kept);
      if (seen.received >= cutAt) break;
    }
  } catch {
    throw new Hangup();
  }
  return Buffer.concat(chunks);
}
