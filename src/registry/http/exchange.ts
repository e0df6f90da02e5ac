import type { IncomingMessage } from "node:http";
import type { Duplex, Readable } from "node:stream";
import { onAbort } from "../../async/abortable.ts";
import { readBlocks } from "./blocks.ts";
import type { HttpRequest } from "./http.ts";
import { readBody, salvageBody } from "./http-response.ts";
import { type Sending, send } from "./sending.ts";
import { socketError } from "./socket-error.ts";
import { createWatch, type Timeouts } from "./watch.ts";

/** The headers of an answer, and its body to be read. */
export interface Answered {
  readonly message: IncomingMessage;
  readonly body: AsyncIterable<Uint8Array>;
  /** The same, in lent blocks: one of both can be read. */
  readonly blocks: AsyncIterable<Uint8Array>;
}

/**
 * Sends the body of `request` into a stream that got has just opened, and waits for the answer's headers.
 * Must be called in the same tick as the opening, so that no event is missed.
 */
export async function exchange(stream: Duplex, request: HttpRequest, limits: Timeouts): Promise<Answered> {
  const release = destroyOnAbort(stream, request.signal);
  const failed = new Promise<never>((_, reject) => {
    stream.on("error", (error) => reject(socketError(error, request.url)));
  });
  const answered = new Promise<IncomingMessage>((resolve) => stream.once("response", resolve));
  const watch = createWatch((error) => stream.destroy(error));
  const sending = send(stream, request, limits, watch);
  try {
    const message = await Promise.race([answered, failed]);
    watch.rest();
    destroyOnAbort(message, request.signal);
    const body = await settle(stream, message, sending, failed, limits);
    return { message, ...body };
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    watch.rest();
    release();
  }
}

/**
 * A refusal that comes while we still send ends the sending, and is read at once: its connection may be gone any moment.
 * A success that comes early is a success only when all is sent.
 */
async function settle(
  stream: Duplex,
  message: IncomingMessage,
  sending: Sending,
  failed: Promise<never>,
  { stallMs }: Timeouts,
): Promise<Omit<Answered, "message">> {
  if (!sending.isDone() && (message.statusCode ?? 0) >= 300) {
    const body = await salvageBody(message, stallMs);
    stream.destroy();
    return { body, blocks: body };
  }
  await Promise.race([sending.done, failed]);
  return { body: readBody(message, stallMs), blocks: readBlocks(message, stallMs) };
}

/** Until the stream closes or the returned function is called, an abort ends it with the signal's reason. */
function destroyOnAbort(stream: Readable, signal: AbortSignal | undefined): () => void {
  const release = onAbort(signal, () => {
    stream.destroy(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
  });
  stream.once("close", release);
  return release;
}
