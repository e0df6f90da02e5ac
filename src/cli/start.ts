import type { Io } from "./io.ts";

/** Runs a program with the streams of this process, and ends the process with its exit status. */
export function start(program: (io: Io) => Promise<number>): void {
  // The AWS SDK would print seven lines about Node 20 on its first request.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

  // A closed reader (`| head -1`) is not an error. Other errors reach the callback of the write.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});

  // If the event loop runs empty before the end, Node would exit with 0.
  process.exitCode = 1;
  const status = program({
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    signals: process,
    exit: (code) => process.exit(code),
    now: () => performance.now(),
    load: () => import("./api.ts"),
  });
  // Idle keep-alive sockets and workers would delay the exit.
  void status.then((code) => process.exit(code));
}
