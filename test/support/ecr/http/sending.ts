import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Fault, flip } from "./faults.ts";
import type { Body, LogEntry, Reply } from "./wire.ts";

export interface Sending {
  readonly fault: Fault | undefined;
  readonly entry: LogEntry;
  readonly signal: AbortSignal;
}

/** Sends the answer as the fault leaves it. Ends when the last byte is handed over, or the client is gone. */
export async function send(response: ServerResponse, reply: Reply, sending: Sending): Promise<void> {
  const { fault, entry } = sending;
  // The client may be gone: then nobody reads what is written.
  response.on("error", () => {});
  const isHead = response.req.method === "HEAD";
  const body = resized(reply.body, fault);
  const headers: Record<string, string | undefined> = { ...lengthOf(body), ...reply.headers };
  if (fault?.do === "headers") Object.assign(headers, fault.headers);
  // A wrong length must not make the next answer on this connection a part of this one.
  if (reply.close || fault?.do === "headers") response.shouldKeepAlive = false;
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value);
  response.writeHead(reply.status);
  entry.status = reply.status;
  if (fault?.do === "cut" && fault.side === "response") response.flushHeaders();
  if (!isHead) await sendBody(response, body ?? "", sending);
  if (fault?.do === "stall" && fault.side === "response") return response.flushHeaders();
  response.end();
}

function resized(body: Body | undefined, fault: Fault | undefined): Body | undefined {
  if (fault?.do !== "resize") return body;
  if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) return body;
  const bytes = Buffer.from(body ?? "");
  return fault.by < 0
    ? bytes.subarray(0, Math.max(0, bytes.length + fault.by))
    : Buffer.concat([bytes, Buffer.alloc(fault.by)]);
}

/** A stream says its length in its own headers, or has none. */
function lengthOf(body: Body | undefined): Record<string, string> {
  if (body === undefined) return { "content-length": "0" };
  if (typeof body === "string") return { "content-length": String(Buffer.byteLength(body)) };
  return body instanceof Uint8Array ? { "content-length": String(body.length) } : {};
}

async function sendBody(
  response: ServerResponse,
  body: Body,
  { fault, entry, signal }: Sending,
): Promise<void> {
  for await (const chunk of told(body, fault)) {
    if (response.destroyed) return;
    entry.sentBytes += chunk.length;
    if (!response.write(chunk)) await drain(response);
    if (fault?.do === "trickle") await sleep(fault.everyMs, undefined, { signal });
  }
  if (fault?.do === "cut" && fault.side === "response") await cut(response);
}

/** The body as the fault leaves it. */
async function* told(body: Body, fault: Fault | undefined): AsyncGenerator<Uint8Array> {
  const onResponse = fault && "side" in fault && fault.side === "response" ? fault : undefined;
  const isShort = onResponse?.do === "cut" || onResponse?.do === "stall";
  let left = isShort ? onResponse.at : Number.POSITIVE_INFINITY;
  let offset = 0;
  for await (const piece of pieces(body, fault)) {
    if (left <= 0) return;
    const chunk = flip(piece.subarray(0, left), offset, onResponse);
    offset += chunk.length;
    left -= chunk.length;
    yield chunk;
  }
}

/** What was written leaves before the connection ends. */
async function cut(response: ServerResponse): Promise<void> {
  await new Promise((done) => {
    response.once("close", done);
    response.write("", done);
  });
  response.destroy();
}

async function drain(response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const gone = new AbortController();
  const { signal } = gone;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  gone.abort();
}

async function* pieces(body: Body, fault: Fault | undefined): AsyncGenerator<Uint8Array> {
  const stream = typeof body === "string" ? [Buffer.from(body)] : body instanceof Uint8Array ? [body] : body;
  const step = fault?.do === "trickle" ? 1 : 64 * 1024;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; at += step) yield chunk.subarray(at, at + step);
  }
}
