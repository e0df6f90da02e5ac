import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

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
