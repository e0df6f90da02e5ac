import type { OnEvent } from "../events.ts";
import type { Environment, PushResult } from "../index.ts";
import type { Api, Output } from "./io.ts";

/** Where the words for a flag came from, to be named when they are wrong. */
export interface Origin {
  /** `--jobs` or `LAMBDA_PACK_JOBS`. */
  readonly name: string;
  readonly environment: Environment;
}

/** One flag: what help says of it and how its words become a `T`. */
export interface Flag<T> {
  readonly summary: string;
  /** Stands for the value in help. A flag without one is a switch. */
  readonly placeholder?: string;
  readonly repeatable?: boolean;
  readonly required?: boolean;
  /** The environment variable that stands in where the flag is not given. */
  readonly variable?: string;
  readonly defaultText?: string;
  readonly short?: string;
  /** The value of the flag where it stands alone; another one then needs `--flag=value`. */
  readonly alone?: string;
  /** Whether a value may begin with a dash, as in `--cmd -m`. */
  readonly dashes?: boolean;
  /** `words`: one for each time that the flag is given, in order. @throws USAGE */
  readonly read: (words: readonly string[], origin: Origin) => T;
}

/** Flags by the names of their values: `cacheDir` is `--cache-dir`. */
export type Flags<V> = { readonly [K in keyof V]-?: Flag<V[K]> };
export type AnyFlags = Readonly<Record<string, Flag<unknown>>>;

export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
  readonly repeatable: boolean;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** What the user wrote, cut into words and not yet read. */
export interface Words {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly positionals: readonly string[];
}

/** What the options of every call have beside the command's own flags. */
export interface Context {
  readonly environment: Environment;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal;
}

/** What a command answers that sends no image. */
export interface Answer {
  /** For people, in at most so many columns; ends with a newline. `stream` is where it goes, for colours. */
  readonly text: (columns: number, stream: Output) => string;
  /** Lines for the machine that runs the command, on stderr: stdout is whoever reads the answer's. Left out where stderr is JSON. */
  readonly annotations?: string;
  /** The object of `--json` and `--metadata-file`. */
  readonly json: unknown;
  /** Exit status. Default 0. */
  readonly status?: number;
  /** What went wrong all the same; told on stderr. */
  readonly error?: unknown;
}

/** Writes to stdout before the answer is there; absent with --json. */
export type Print = (chunk: Uint8Array) => Promise<void>;

export type Work = (api: Api, context: Context, print: Print | undefined) => Promise<PushResult | Answer>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly flags: AnyFlags;
  readonly examples: readonly Example[];
  /** true: stderr is the log of a function; no live line is drawn over it. */
  readonly logs?: boolean;
  /** Reads the words; the work is left for later, so that a slip is told before anything is loaded. @throws USAGE */
  readonly read: (words: Words, environment: Environment) => Work;
}
