// Listens on 127.0.0.1:9001 of its network namespace and forwards every connection to the socket of the Runtime API.
// Starts a program when it listens, and ends when the program ends.
// Usage: node forward.mjs SOCKET COMMAND [ARGUMENT]...
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

const [socket, command, ...args] = process.argv.slice(2);

const server = createServer((client) => {
  const api = connect(socket);
  client.pipe(api).pipe(client);
  client.on("error", () => api.destroy());
  api.on("error", () => client.destroy());
});

server.listen(9001, "127.0.0.1", () => {
  const child = spawn(command, args, { stdio: ["inherit", "inherit", "inherit", 3] });
  child.on("error", () => process.exit(127));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.kill(process.pid, signal);
  });
});
