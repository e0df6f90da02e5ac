import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Forwards connections to a port of this machine at a limited rate that they share. It runs in a
 * process of its own so that the clients cannot delay it. usage: slow-link.ts PORT
 * BYTES_PER_SECOND; prints the address that it listens on.
 */
const [port = 0, bytesPerSecond = 0] = process.argv.slice(2).map(Number);

/** The time (`performance.now`, ms) at which everything received so far will have been sent. */
let freeAt = 0;

async function carry(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    freeAt = Math.max(freeAt, performance.now()) + (chunk.length / bytesPerSecond) * 1000;
    const waitMs = freeAt - performance.now();
    // Timers are not accurate below 2 ms.
    if (waitMs > 2) await sleep(waitMs);
    if (!to.write(chunk)) await new Promise((resolve) => to.once("drain", resolve));
  }
  to.end();
}

const server = createServer((client) => {
  const registry = connect(port, "127.0.0.1");
  for (const [a, b] of [
    [client, registry],
    [registry, client],
  ] as const) {
    a.on("error", () => b.destroy());
    carry(a, b).catch(() => b.destroy());
  }
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${JSON.stringify(server.address())}\n`));
process.stdin.resume().on("end", () => process.exit());
