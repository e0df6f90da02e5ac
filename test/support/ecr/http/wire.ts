import type { IncomingHttpHeaders } from "node:http";

/** One request as a double sees it. */
export interface Exchange {
  readonly method: string;
  /** With the host that the client named. */
  readonly url: URL;
  /** What the request is for: `patch`, `get-manifest`, `GetAuthorizationToken` ... the word that fault plans and logs use. */
  readonly kind: string;
  readonly headers: IncomingHttpHeaders;
  /** Read it once or never. Throws {@link BodyDropped} where the connection ends before the body. */
  readonly body: AsyncIterable<Buffer>;
}

/** A line of a double's log; filled while the request is served. */
export interface LogEntry {
  readonly method: string;
  readonly host: string;
  /** With query. */
  readonly path: string;
  readonly kind: string;
  /** Whether the request carried an Authorization header. */
  readonly authorized: boolean;
  /** 0: no answer was sent (yet). */
  status: number;
  /** Bytes of the request's body that were read. */
  bodyBytes: number;
  /** Bytes of the answer's body. */
  sentBytes: number;
}

export type Body = string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Ends the connection after the answer. */
  readonly close?: true;
}

/** `hang-up`: the connection ends without an answer. */
export type Answer = Reply | "hang-up";

/** What stands behind an origin. */
export interface Service {
  /** The kind of a request. */
  kindOf(method: string, url: URL, headers: IncomingHttpHeaders): string;
  answer(exchange: Exchange): Promise<Answer> | Answer;
}

/** The client, or a fault, ended the connection within the request's body. */
export class BodyDropped extends Error {
  override readonly name = "BodyDropped";
}

export async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The registry's error document (distribution-spec, "Error Codes"). */
export function problem(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ errors: [{ code, message }] }),
  };
}
