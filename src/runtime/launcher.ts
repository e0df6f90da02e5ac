import type { FunctionFacts } from "./environment.ts";

export type Variables = Readonly<Record<string, string>>;

/** What a launcher is told of the process it starts. */
export interface LaunchContext {
  readonly handler: string;
  /** Lambda's and the user's. */
  readonly variables: Variables;
  /** Where the Runtime API listens: `127.0.0.1:port` or a socket's path. */
  readonly api: string;
}

/** A program that runs a runtime, with exactly these variables. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly variables: Variables;
  /** true: it writes to file descriptor 3 how its parts end. */
  readonly reportsEnds?: boolean | undefined;
}

/** How a function is run on this machine. */
export interface Launcher {
  /** For people, but for the runtime client: `node 20.20.2 of this machine, no sandbox`. */
  readonly description: string;
  /** What Lambda's variables say of the code. */
  readonly facts: Pick<FunctionFacts, "taskRoot" | "executionEnvironment">;
  /** Where the Runtime API listens on a socket. Default: it listens on a free port. */
  readonly socketDirectory?: string;
  /** Names of the extensions that it starts beside the runtime. */
  readonly extensions?: readonly string[];
  /** What the function is told of where the Runtime API is. Default: where it listens. */
  readonly runtimeApi?: string;
  launch(context: LaunchContext): Launch;
}
