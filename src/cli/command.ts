import type { OptionTable, Values } from "../commands/options/read.ts";
import type { OnEvent } from "../events.ts";
import type { Environment, PushResult } from "../index.ts";
import type { Api, Output } from "./io.ts";

/** The options that were given, by name. The API function applies the defaults. */
export type Given<T extends OptionTable> = {
  readonly [K in keyof T]?: Exclude<Values<T>[K], undefined>;
};

/** A positional argument. */
export interface Positional {
  /** The option whose value it is. */
  readonly option: string;
  /** The name in the help. */
  readonly name: string;
  readonly required: boolean;
  readonly repeatable: boolean;
}

interface Example {
  readonly line: string;
  readonly purpose: string;
}

interface Context {
  readonly environment: Environment;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal;
}

/** The output of a command that pushes no image. */
export interface Answer {
  /**
   * Formats the text for people in at most `columns` columns, with a newline at the end. `stream`
   * is its destination, which decides about colours.
   */
  readonly text: (columns: number, stream: Output) => string;
  /** Text for stderr, such as the workflow commands of GitHub Actions. */
  readonly annotations?: string;
  /** The object of `--json` and `--metadata-file`. */
  readonly json: unknown;
  /** The exit status. Default 0. */
  readonly status?: number;
  /** The error to print on stderr although there is an answer. */
  readonly error?: unknown;
}

/** What a command gets to run. */
export interface Call {
  /** Loads the API. Mistakes in the options are reported before that. */
  readonly load: () => Promise<Api>;
  readonly context: Context;
  /** All commands, for `completion`. */
  readonly commands: readonly ListedCommand[];
  /** Writes to stdout before the command has ended. Undefined with --json. */
  readonly print: ((chunk: Uint8Array) => Promise<void>) | undefined;
  /**
   * Writes a line to stdout before the command has ended: `line`, or with --json `value` as one
   * object.
   */
  readonly announce: (line: string, value: object) => Promise<void>;
}

export interface Command<T extends OptionTable = OptionTable> {
  readonly positionals: readonly Positional[];
  /** The options of the API function and of the command line alone, in the order of the help. */
  readonly options: T;
  readonly examples: readonly Example[];
  /** true: stderr carries the log of a function, so no progress line is drawn over it. */
  readonly logs?: boolean;
  /** The text after "stopped" when a signal has ended the command. Default: the signal. */
  readonly stopped?: string;
  /** @throws USAGE for options that contradict each other */
  run(given: Given<T>, call: Call): Promise<PushResult | Answer>;
}

/** A command in the overview of the help. Its module is imported when it is needed. */
export interface ListedCommand {
  readonly name: string;
  /** At most 56 characters, so that it fits on a line of 80 columns. */
  readonly summary: string;
  readonly group: string;
  readonly load: () => Promise<Command>;
}

/** Checks the types of a command, and hides those of its options from the caller. */
export function defineCommand<T extends OptionTable>(command: Command<T>): Command {
  return command;
}
