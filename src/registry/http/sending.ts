import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { inChunks } from "./chunks.ts";
import type { HttpRequest } from "./http.ts";
import { pump } from "./pump.ts";
import { type Timeouts, timeout, type Watch } from "./watch.ts";

/** A request on its way. */
export interface Sending {
  /** Resolves when the last byte is with the network; what goes wrong is told by the stream's error event. */
  readonly done: Promise<void>;
  isDone(): boolean;
}

/** Writes the request's body, if any, and has every phase watched: connecting, moving bytes, awaiting the answer. */
export function send(stream: Duplex, request: HttpRequest, limits: Timeouts, watch: Watch): Sending {
  const { body, url } = request;
  const awaitAnswer = (): void => watch.expect(`${url.host} gave no answer`, limits.answerMs);
  stream.once("socket", (socket: Socket) => {
    watch.expect(`no connection to ${url.host}`, limits.connectMs);
    whenConnected(socket, () => {
      if (!body?.length) return awaitAnswer();
      watch.rest();
      keepMoving(stream, socket, limits.stallMs);
    });
  });
  let sent = !body?.length;
  const done = write(stream, request).then(() => {
    if (!sent) awaitAnswer();
    sent = true;
  });
  done.catch(() => {});
  return { done, isDone: () => sent };
}

async function write(stream: Duplex, { method, body }: HttpRequest): Promise<void> {
  if (method === "GET" || method === "HEAD") return;
  if (!body?.length) {
    stream.end();
    return;
  }
  await pump(inChunks(body.read(), body.length), stream, (bytes) => body.onSent?.(bytes));
}

/** A connection that is kept alive is there already; one through a proxy may be, but without TLS. */
function whenConnected(socket: Socket, connected: () => void): void {
  if ("secureConnecting" in socket && socket.secureConnecting) socket.once("secureConnect", connected);
  else if (socket.connecting) socket.once("connect", connected);
  else connected();
}

const PERIODS = 4;

/**
 * While the body is sent, the socket's own timer runs: it knows how much of a write the peer has taken.
 * Nothing waiting to be written means that we are the slow side. A period in which part of a write went out passes unheard
 * (node:net, `_onTimeout`): with a single one, a stall would take twice its time to be seen.
 */
function keepMoving(stream: Duplex, socket: Socket, stallMs: number): void {
  const period = stallMs / PERIODS;
  let quiet = 0;
  const moved = (): void => {
    quiet = 0;
  };
  const stalled = (): void => {
    quiet += 1;
    if (quiet < PERIODS - 1 || stream.writableLength === 0) socket.setTimeout(period);
    else stream.destroy(timeout("no more bytes could be sent", stallMs));
  };
  const release = (): void => {
    socket.off("timeout", stalled);
    socket.setTimeout(0);
  };
  stream.on("uploadProgress", moved);
  socket.setTimeout(period);
  socket.on("timeout", stalled);
  stream.once("finish", release);
  stream.once("close", release);
}
