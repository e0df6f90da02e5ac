import type { OptionTable, Values } from "../commands/options/read.ts";
import type { OnEvent } from "../events.ts";
import type { Environment, PushResult } from "../index.ts";
import type { Api, Output } from "./io.ts";

/** The options that were given, by their names. Defaults are left to the call. */
export type Given<T extends OptionTable> = {
  readonly [K in keyof T]?: Exclude<Values<T>[K], undefined>;
};

/** An argument that is told by its place. */
export interface Positional {
  /** The option that it gives a value to. */
  readonly option: string;
  /** As help shows it. */
  readonly name: string;
  readonly required: boolean;
  readonly repeatable: boolean;
}

interface Example {
  readonly line: string;
  readonly says: string;
}

/** What the options of every call have beside the command's own. */
interface Context {
  readonly environment: Environment;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal;
}

/** What a command prints that pushes no image. */
export interface Answer {
  /**
   * For people, in at most so many columns; ends with a newline. `stream` is where it goes, for
   * colours.
   */
  readonly text: (columns: number, stream: Output) => string;
  /** Workflow commands for stderr, for the machine that runs the command. */
  readonly annotations?: string;
  /** The object of `--json` and `--metadata-file`. */
  readonly json: unknown;
  /** Exit status. Default 0. */
  readonly status?: number;
  /** What failed although there is an answer; it is printed on stderr. */
  readonly error?: unknown;
}

/** What a command needs to run. */
export interface Call {
  /** Loads the library; mistakes in the options are told before it is called. */
  readonly load: () => Promise<Api>;
  readonly context: Context;
  /** All commands, for one that describes them. */
  readonly commands: readonly ListedCommand[];
  /** Writes to stdout before the answer is there; absent with --json. */
  readonly print: ((chunk: Uint8Array) => Promise<void>) | undefined;
}

export interface Command<T extends OptionTable = OptionTable> {
  readonly positionals: readonly Positional[];
  /** Those of the call and those of the command line alone, in the order of the help. */
  readonly options: T;
  readonly examples: readonly Example[];
  /** true: stderr is the log of a function; no live line is drawn over it. */
  readonly logs?: boolean;
  /** @throws USAGE for options that contradict one another */
  run(given: Given<T>, call: Call): Promise<PushResult | Answer>;
}

/** A command as the main page of the help lists it. Its module is loaded when it is called. */
export interface ListedCommand {
  readonly name: string;
  /** At most 56 characters, so that it fits on a line of 80 columns. */
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<Command>;
}

/** Keeps the types of a command's options inside its module. */
export function defineCommand<T extends OptionTable>(command: Command<T>): Command {
  return command;
}
