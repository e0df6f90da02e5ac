import { fileURLToPath } from "node:url";
import type { FunctionFacts } from "./environment.ts";

export type Variables = Readonly<Record<string, string>>;

/** The values that a launcher gets for a process. */
export interface LaunchContext {
  readonly handler: string;
  readonly variables: Variables;
  /** The address of the Runtime API: `127.0.0.1:port` or the path of a socket. */
  readonly api: string;
}

/** A program that runs a runtime, with exactly these variables. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly variables: Variables;
  /** true: it reports the ends of its parts on file descriptor 3. */
  readonly reportsEnds?: boolean | undefined;
}

/** The way to run a function on this machine. */
export interface Launcher {
  /**
   * A description for people, without the runtime client:
   * `node 20.20.2 of this machine, no sandbox`.
   */
  readonly description: string;
  /** The facts about the code in Lambda's variables. */
  readonly facts: Pick<FunctionFacts, "taskRoot" | "executionEnvironment">;
  /** The directory for the Runtime API's socket. Default: the API uses a free port. */
  readonly socketDirectory?: string;
  /** Names of the extensions that it starts beside the runtime. */
  readonly extensions?: readonly string[];
  /** The address of the Runtime API as the function sees it. Default: the actual address. */
  readonly runtimeApi?: string;
  launch(context: LaunchContext): Launch;
}

/**
 * Returns the path of a script that runs beside lambda-pack: the supervisor, the sandbox or a
 * runtime client.
 */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}
