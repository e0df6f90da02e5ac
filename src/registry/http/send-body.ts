import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LambdaPackError } from "../../errors.ts";
import { MIN_PROGRESS } from "./idle-timer.ts";
import type { HttpBody } from "./types.ts";

/** In bytes. Node reports only the end of a write, which must come within the limit on silence. */
const PIECE = 4 * MIN_PROGRESS;

/** Cuts the body into pieces of at most 64 KiB, and checks its length. */
export async function* piecesOf(body: HttpBody | undefined): AsyncGenerator<Uint8Array, void, void> {
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
export function connected(stream: Duplex, onSocket: () => void): Promise<void> {
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
export function drained(stream: Duplex): Promise<void> {
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
