// Listens on 127.0.0.1:9001 of its network namespace and forwards every connection to the socket of the Runtime API.
// Listens on SOCKET.in too, and forwards those connections to the port of the namespace that their first line names.
// Starts a program when it listens, and ends when the program ends.
// Usage: node forward.mjs SOCKET COMMAND [ARGUMENT]...
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

const [socket, command, ...args] = process.argv.slice(2);

function forward(from, to) {
  from.pipe(to).pipe(from);
  from.on("error", () => to.destroy());
  to.on("error", () => from.destroy());
}

const inward = createServer((client) => {
  client.once("data", (first) => {
    const end = first.indexOf("\n");
    client.unshift(first.subarray(end + 1));
    forward(client, connect(Number(first.toString("latin1", 0, end)), "127.0.0.1"));
  });
});
inward.listen(`${socket}.in`);

const server = createServer((client) => forward(client, connect(socket)));

server.listen(9001, "127.0.0.1", () => {
  const child = spawn(command, args, { stdio: ["inherit", "inherit", "inherit", 3] });
  child.on("error", () => process.exit(127));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
});
