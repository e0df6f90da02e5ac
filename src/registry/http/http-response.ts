import type { IncomingMessage } from "node:http";
import { LambdaPackError } from "../../errors.ts";
import { redactUrl } from "../errors/redact.ts";
import type { Answered } from "./exchange.ts";
import type { HttpRequest } from "./http.ts";
import { createWatch } from "./watch.ts";

/** An answer. Its connection is free again when the body has been taken (`body`, `text`, `bytes`) or given up (`discard`): do one of them. */
export interface HttpResponse {
  readonly status: number;
  /** What was asked. */
  readonly url: URL;
  /** The Authorization the request carried: tells a refused token from one that has been replaced meanwhile. */
  readonly authorization: string | undefined;
  /** Case does not matter; several lines joined with commas. */
  header(name: string): string | undefined;
  /** Each line by itself, for headers that hold lists (WWW-Authenticate). */
  headerLines(name: string): readonly string[];
  /** As sent, not decompressed. @throws with code ECONNRESET when cut short, ETIMEDOUT when it stalls. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The same in lent pieces (`Content.read`), which costs much less where they are many: one of both can be read. */
  readonly blocks: AsyncIterable<Uint8Array>;
  /** @throws REGISTRY_ANSWER when longer than `limit` bytes. */
  text(limit: number): Promise<string>;
  /** @throws REGISTRY_ANSWER when longer than `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  discard(): void;
}

/** Draining this much is cheaper than a new connection. */
const DRAIN_LIMIT = 64 * 1024;

export function httpResponse(
  { url, method, headers }: HttpRequest,
  { message, body, blocks }: Answered,
): HttpResponse {
  const bytes = (limit: number): Promise<Uint8Array> => collect(body, limit, url);
  const lines = (name: string): readonly string[] => message.headersDistinct[name.toLowerCase()] ?? [];
  const discard = (): void => {
    if (Number(message.headers["content-length"] ?? 0) > DRAIN_LIMIT) message.destroy();
    else void bytes(DRAIN_LIMIT).catch(() => message.destroy());
  };
  // Nobody reads what is not there, and an unread answer keeps its connection busy.
  if (method === "HEAD" || message.statusCode === 204 || message.statusCode === 304) discard();
  return {
    status: message.statusCode ?? 0,
    url,
    authorization: headers?.["authorization"],
    header: (name) => lines(name)[0] && lines(name).join(", "),
    headerLines: lines,
    body,
    blocks,
    bytes,
    text: async (limit) => Buffer.from(await bytes(limit)).toString("utf8"),
    discard,
  };
}

/** The bytes of an answer as they come; a peer silent for `stallMs` while we wait for it ends with ETIMEDOUT. */
export async function* readBody(
  message: IncomingMessage,
  stallMs: number,
): AsyncGenerator<Uint8Array, void, void> {
  const watch = createWatch((error) => message.destroy(error));
  watch.expect("no more bytes came", stallMs);
  try {
    for await (const chunk of message) {
      watch.rest();
      yield chunk;
      watch.expect("no more bytes came", stallMs);
    }
  } finally {
    watch.rest();
  }
}

/** What a server says before it has read our body must be read at once: its connection may be gone any moment. */
export async function salvageBody(
  message: IncomingMessage,
  stallMs: number,
): Promise<AsyncIterable<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of readBody(message, stallMs)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > DRAIN_LIMIT) break;
    }
  } catch {
    // The status line and the headers are the answer; how much of its text came through is luck.
  }
  return {
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

async function collect(body: AsyncIterable<Uint8Array>, limit: number, url: URL): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw tooLong(limit, url);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLong(limit: number, url: URL): LambdaPackError {
  return new LambdaPackError(
    "REGISTRY_ANSWER",
    `the answer of ${redactUrl(url)} is longer than the ${limit} bytes it may have`,
  );
}
