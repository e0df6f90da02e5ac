import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody } from "../api/reply.ts";
import type { FunctionPool } from "../pool.ts";
import { functionUrlEvent } from "./function-url-event.ts";
import {
  FAILED,
  PRELUDE_TYPE,
  Prelude,
  type StreamHead,
  type UrlResponse,
  urlResponse,
} from "./function-url-response.ts";

/** Lambda's limit for the event of a synchronous invocation. */
const REQUEST_LIMIT = 6 * 1024 * 1024;

/**
 * Answers an HTTP request like a function URL, with the function's response.
 * @param url path and query as the function sees them
 */
export async function answerFunctionUrl(
  pool: FunctionPool,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, REQUEST_LIMIT);
  if (body === undefined)
    return send(response, { ...FAILED, status: 413, body: Buffer.from("Request Too Long") });
  const requestId = randomUUID();
  const event = functionUrlEvent({ request, url, body }, requestId, Date.now());
  const stream = new UrlStream(response);
  const { outcome } = await pool.invoke({
    requestId,
    payload: Buffer.from(JSON.stringify(event)),
    onChunk: (chunk, contentType) => stream.write(chunk, contentType),
  });
  if (outcome.kind === "result" && outcome.streamed) stream.end();
  else if (response.headersSent) response.destroy();
  else send(response, outcome.kind === "result" ? urlResponse(outcome.body) : FAILED);
}

function send(response: ServerResponse, { status, headers, body }: UrlResponse): void {
  writeHead(response, { status, headers: { ...headers, "content-length": String(body.length) } });
  response.end(body);
}

function writeHead(response: ServerResponse, { status, headers }: StreamHead): void {
  try {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.writeHead(status);
  } catch {
    // HTTP does not allow one of the headers.
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.writeHead(502);
  }
}

/** Forwards a streamed response. As in Lambda, the function continues if the caller disconnects. */
class UrlStream {
  readonly #response: ServerResponse;
  readonly #prelude = new Prelude();

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  async write(chunk: Uint8Array, contentType: string): Promise<void> {
    const response = this.#response;
    if (response.destroyed) return;
    const body = response.headersSent ? chunk : this.#begin(chunk, contentType);
    if (!body || body.length === 0 || response.write(body)) return;
    await Promise.race([once(response, "drain"), once(response, "close")]);
  }

  end(): void {
    if (!this.#response.headersSent) send(this.#response, FAILED);
    else this.#response.end();
  }

  /** Returns the content after the head, once that is complete. */
  #begin(chunk: Uint8Array, contentType: string): Uint8Array | undefined {
    if (contentType !== PRELUDE_TYPE) {
      writeHead(this.#response, { status: 200, headers: { "content-type": contentType } });
      return chunk;
    }
    try {
      const found = this.#prelude.push(chunk);
      if (found) {
        writeHead(this.#response, found.head);
        this.#response.flushHeaders();
      }
      return found?.rest;
    } catch {
      send(this.#response, FAILED);
      return undefined;
    }
  }
}
