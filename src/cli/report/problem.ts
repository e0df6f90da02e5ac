import { styleText } from "node:util";
import { exitStatus } from "../exit.ts";
import { type Failure, failureOf } from "../failure.ts";
import type { Io } from "../io.ts";
import { annotationLine, clean, isGitHub, jsonLine, logText } from "../text/format.ts";

export type Wrap = (text: string, columns: number) => readonly string[];

/** An error or a warning, and the next step. */
interface Problem {
  readonly message: string;
  readonly hint?: string | undefined;
  /** More lines, for --verbose. */
  readonly trace?: string;
}

type Streams = Pick<Io, "stderr" | "environment">;

const TONES = { error: "red", warning: "yellow" } as const;

/**
 * Prints `error: what failed, with which thing`, or the same of a warning, and, indented, `fix:` and
 * the next step.
 * @param wrap breaks lines at words; undefined if stderr is not a terminal
 */
export function printProblem(
  level: keyof typeof TONES,
  { message, hint, trace }: Problem,
  { stderr, environment }: Streams,
  wrap: Wrap = (text) => [text],
): void {
  const columns = (stderr.columns || 80) - 2;
  const lines = [
    `${level}: ${clean(message)}`,
    ...(hint === undefined ? [] : `fix: ${hint}`.split("\n").map(clean)),
    ...(trace === undefined ? [] : trace.split("\n").map(clean)),
  ].flatMap((line) => wrap(line, columns));
  const text = lines.join("\n  ").slice(level.length);
  const label = styleText(TONES[level], level, { stream: stderr });
  stderr.write(logText(`${label}${text}\n`, environment));
}

/** Prints a warning; in GitHub Actions also as an annotation. */
export function printWarning(warning: Problem, io: Streams, wrap?: Wrap): void {
  printProblem("warning", warning, io, wrap);
  if (isGitHub(io.environment)) io.stderr.write(annotation("warning", "lambda-pack", warning));
}

/** Prints an error; in GitHub Actions also as an annotation. */
export function printFailure(
  { message, hint, trace, code }: Failure,
  io: Streams,
  { verbose, wrap }: { readonly verbose: boolean; readonly wrap?: Wrap | undefined },
): void {
  // The stack of a mistake on the command line is of no use.
  const more = verbose && code !== "USAGE" ? { trace } : {};
  printProblem("error", { message, hint, ...more }, io, wrap);
  const title = code === undefined ? "lambda-pack" : `lambda-pack ${code}`;
  if (isGitHub(io.environment)) io.stderr.write(annotation("error", title, { message, hint }));
}

function annotation(level: keyof typeof TONES, title: string, { message, hint }: Problem): string {
  return annotationLine({ level, title, text: hint === undefined ? message : `${message}\nfix: ${hint}` });
}

/** Prints the error as one JSON object. */
export function printFailureJson(
  { code, message, hint, trace }: Failure,
  stderr: Io["stderr"],
  verbose: boolean,
): void {
  stderr.write(jsonLine({ type: "error", code, message, hint, ...(verbose && { trace }) }));
}

/** Prints an error that occurred before there was a reporter. Returns the exit status. */
export async function reportError(
  error: unknown,
  io: Io,
  { json, verbose }: { readonly json: boolean; readonly verbose: boolean },
): Promise<number> {
  const failure = failureOf(error);
  if (json) printFailureJson(failure, io.stderr, verbose);
  else {
    const wrap = io.stderr.isTTY ? (await import("../text/wrap.ts")).wrap : undefined;
    printFailure(failure, io, { verbose, wrap });
  }
  return exitStatus(error);
}
