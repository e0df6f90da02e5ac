import { randomBytes } from "node:crypto";
import type { Exchange, Reply, Service } from "../http/wire.ts";

interface Link {
  readonly bytes: Buffer;
  readonly expiresAt: number;
}

/**
 * What stands behind a blob's redirect: S3 for ECR, CloudFront for ECR Public. It knows a blob only by the URL it made for it.
 * Q15: with an Authorization header it answers 400 XML, as S3 does for a presigned URL (OPA#6580).
 */
export class FakeStorage implements Service {
  readonly #links = new Map<string, Link>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A URL on `origin` for these bytes; its query is the credential. */
  link(origin: string, bytes: Buffer, seconds: number): string {
    const signature = `canary${randomBytes(24).toString("hex")}`;
    const path = `/${randomBytes(8).toString("hex")}?X-Amz-Expires=${seconds}&X-Amz-Signature=${signature}`;
    this.#links.set(path, { bytes, expiresAt: this.#now() + seconds * 1000 });
    return origin + path;
  }

  /** The signatures of all links: none may appear in any output. */
  get signatures(): readonly string[] {
    return [...this.#links.keys()].map((path) => path.slice(path.lastIndexOf("=") + 1));
  }

  /** No link made so far works any more. */
  expireAll(): void {
    for (const [path, { bytes }] of this.#links) this.#links.set(path, { bytes, expiresAt: 0 });
  }

  kindOf(): string {
    return "storage";
  }

  answer({ url, headers }: Exchange): Reply {
    if (headers.authorization !== undefined) {
      return xml(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    const link = this.#links.get(url.pathname + url.search);
    if (!link) return xml(404, "NoSuchKey", "The specified key does not exist.");
    if (this.#now() >= link.expiresAt) return xml(403, "AccessDenied", "Request has expired");
    return ranged(link.bytes, headers.range);
  }
}

/** The whole, or one range of it (RFC 9110 14). */
export function ranged(bytes: Buffer, range: string | undefined): Reply {
  const [, from = "0", to = ""] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const headers = { "accept-ranges": "bytes", "content-type": "application/octet-stream" };
  if (range === undefined) return { status: 200, headers, body: bytes };
  if (Number(from) >= bytes.length) {
    return { ...xml(416, "InvalidRange", "The requested range is not satisfiable"), close: true };
  }
  const end = Math.min(to === "" ? bytes.length : Number(to) + 1, bytes.length);
  const contentRange = `bytes ${from}-${end - 1}/${bytes.length}`;
  return {
    status: 206,
    headers: { ...headers, "content-range": contentRange },
    body: bytes.subarray(Number(from), end),
  };
}

function xml(status: number, code: string, message: string): Reply {
  return {
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}
