import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer, type ServerOptions as SecureServerOptions } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** An HTTP server on 127.0.0.1 that ends with the test. */
export function serve(t: TestContext, listener: RequestListener): Promise<URL> {
  return listen(t, createServer(listener), "http:");
}

export function serveTls(
  t: TestContext,
  identity: SecureServerOptions,
  listener: RequestListener,
): Promise<URL> {
  return listen(t, createTlsServer(identity, listener), "https:");
}

/** A server below HTTP: what it says, and whether, is the test's. */
export function serveTcp(
  t: TestContext,
  connected: (socket: Socket) => void,
  protocol = "http:",
): Promise<URL> {
  return listen(t, createTcpServer(connected), protocol);
}

async function listen(t: TestContext, server: Server, protocol: string): Promise<URL> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    // A client that goes away is part of the test.
    socket.on("error", () => {});
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return new URL(`${protocol}//127.0.0.1:${port}/`);
}

/** Where nobody listens. Not a port that was free a moment ago: the kernel may give that to another test's server meanwhile. */
export const NOBODY_LISTENS = new URL("http://127.0.0.1:1/");
