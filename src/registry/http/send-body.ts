import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LambdaPackError } from "../../errors.ts";
import { type IdleTimer, MIN_PROGRESS, type Timeouts } from "./idle-timer.ts";
import type { HttpBody, HttpRequest } from "./types.ts";

/** A body that is being sent. The stream reports a failure. */
export interface Sending {
  readonly done: Promise<void>;
  readonly isDone: () => boolean;
}

/**
 * Starts to send the body of `request` when the stream is connected, and then the timer for the
 * answer. Any failure destroys the stream.
 */
export function sendBody(stream: Duplex, request: HttpRequest, limits: Timeouts, timer: IdleTimer): Sending {
  let isDone = false;
  const done = writeBody(stream, request, limits, timer);
  done.then(
    () => {
      isDone = true;
    },
    () => undefined,
  );
  return { done, isDone: () => isDone };
}

/**
 * @throws CONTENT_MISMATCH when the body has another length than announced, and any error in
 * reading it.
 */
async function writeBody(
  stream: Duplex,
  { method, body, url, commits }: HttpRequest,
  limits: Timeouts,
  timer: IdleTimer,
): Promise<void> {
  try {
    await connected(stream, () => timer.start(`no connection to ${url.host}`, limits.connectMs));
    timer.stop();
    let written = 0;
    for await (const piece of piecesOf(body)) {
      // An answer or an abort ended the request while the content was being read.
      if (stream.destroyed) throw new Error("the request ended before it was sent");
      timer.start(`no more bytes could be sent to ${url.host}`, limits.stallMs);
      if (!stream.write(piece)) await drained(stream);
      timer.stop();
      written += piece.length;
      body?.onSent?.(written);
    }
    if (method !== "GET" && method !== "HEAD") stream.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  timer.start(`${url.host} gave no answer`, commits ? limits.commitMs : limits.answerMs);
}

/** In bytes. Node reports only the end of a write, which must come within the limit on silence. */
const PIECE = 4 * MIN_PROGRESS;

/** Cuts the body into pieces of at most 64 KiB, and checks its length. */
async function* piecesOf(body: HttpBody | undefined): AsyncGenerator<Uint8Array, void, void> {
  if (!body) return;
  let total = 0;
  for await (const chunk of body.read()) {
    total += chunk.length;
    if (total > body.length) throw wrongLength(`more than ${body.length}`, body.length);
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE);
  }
  if (total < body.length) throw wrongLength(String(total), body.length);
}

function wrongLength(got: string, length: number): LambdaPackError {
  return new LambdaPackError(
    "CONTENT_MISMATCH",
    `the content to send has ${got} bytes, not the ${length} announced`,
  );
}

/** Resolves when the stream is connected, TLS included. Calls `onSocket` when it has a socket. */
function connected(stream: Duplex, onSocket: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once("close", () => reject(new Error("the request ended before it was sent")));
    stream.once("socket", (socket: Socket) => {
      onSocket();
      if ("secureConnecting" in socket && socket.secureConnecting) socket.once("secureConnect", resolve);
      else if (socket.connecting) socket.once("connect", resolve);
      else resolve();
    });
  });
}

/** Resolves when the stream accepts more bytes. */
function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = () => reject(new Error("the request ended before it was sent"));
    if (stream.destroyed) return closed();
    stream.once("close", closed);
    stream.once("drain", () => {
      stream.off("close", closed);
      resolve();
    });
  });
}
