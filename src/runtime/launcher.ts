import type { FunctionFacts } from "./environment.ts";

/** A program that runs a runtime: what a launcher makes of a function. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** Beside Lambda's own variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How a function is run on this machine. */
export interface Launcher {
  /** For people, but for the runtime client: `node 20.20.2 of this machine, no sandbox`. */
  readonly description: string;
  /** What Lambda's variables say of the code. */
  readonly facts: Pick<FunctionFacts, "taskRoot" | "executionEnvironment">;
  launch(handler: string): Launch;
}
