import type { EventEmitter } from "node:events";
import { hasCode } from "../errors.ts";
import type { Environment } from "../index.ts";

/** The functions of the public API that the commands call. */
export type Api = typeof import("./api.ts");

/** A stream for text: a terminal, a pipe or a file. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** The streams, environment and other inputs of the command line. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Ends the process at once; called only if the work does not stop after a signal. */
  readonly exit: (status: number) => void;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Imports the public API and everything behind it; called after the command line was parsed. */
  readonly load: () => Promise<Api>;
}

/**
 * Writes `text` and waits until it was handed over. A closed reader is not an error; a full disk
 * is.
 */
export function write(output: Output, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error?: Error | null) => {
      if (error && !hasCode(error, "EPIPE", "ERR_STREAM_DESTROYED")) reject(error);
      else resolve();
    });
  });
}

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
