import { lookup } from "node:dns/promises";
import { connect, createServer, type Server, type Socket } from "node:net";

/** Passes connections on to a server, below HTTP and TLS; the next one that carries so many bytes is cut. */
export interface Cutter {
  /** `host:port`, in the server's stead. */
  readonly host: string;
  /** Bytes in one direction on one connection, then it ends for both sides. Undefined after the cut. */
  next: { readonly after: number; readonly direction: "up" | "down" } | undefined;
  stop(): void;
}

export async function cutterFor({ host }: { readonly host: string }): Promise<Cutter> {
  const [name = "", port] = host.split(":");
  const { address } = await lookup(name, 4);
  const server = createServer((client) => forward(client, connect(Number(port), address), cutter));
  await new Promise<void>((ready) => server.listen(0, address, ready));
  const sockets = trackedOf(server);
  const cutter: Cutter = {
    host: `${name}:${portOf(server)}`,
    next: undefined,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return cutter;
}

function trackedOf(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return sockets;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function forward(client: Socket, upstream: Socket, cutter: Cutter): void {
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
  for (const [from, to, direction] of [
    [client, upstream, "up"],
    [upstream, client, "down"],
  ] as const) {
    let passed = 0;
    from.on("data", (bytes) => {
      passed += bytes.length;
      if (!to.write(bytes)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
      if (cutter.next?.direction !== direction || passed < cutter.next.after) return;
      cutter.next = undefined;
      to.end();
      from.destroy();
    });
  }
}
