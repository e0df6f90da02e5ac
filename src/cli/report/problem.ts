import { styleText } from "node:util";
import type { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { annotationLine, clean, isGitHub, jsonLine, logText } from "../text/escape.ts";

export type Wrap = (text: string, columns: number) => readonly string[];

/**
 * Prints `error: what failed, with which thing` and, indented, `fix:` and the next step; in GitHub
 * Actions also as an annotation.
 * @param wrap breaks lines at words; undefined if stderr is not a terminal
 */
export function printFailure(
  failure: Failure,
  { stderr, environment }: Pick<Io, "stderr" | "environment">,
  { verbose, wrap }: { readonly verbose: boolean; readonly wrap?: Wrap | undefined },
): void {
  const { message, hint, trace, code } = failure;
  const columns = stderr.columns || 80;
  const fold = (text: string, width: number) => (wrap ? wrap(text, width) : [text]);
  const indented = (text: string) =>
    text.split("\n").flatMap((line) => fold(clean(line), columns - 2).map((part) => `  ${part}`));
  const [first = "", ...rest] = fold(`error: ${clean(message)}`, columns);
  const lines = [
    first.replace(/^error:/, styleText("red", "error:", { stream: stderr })),
    ...rest.map((line) => `  ${line}`),
    ...(hint === undefined ? [] : indented(`fix: ${hint}`)),
    // The stack of a mistake on the command line is of no use.
    ...(verbose && code !== "USAGE" ? indented(trace) : []),
  ];
  stderr.write(logText(`${lines.join("\n")}\n`, environment));
  if (isGitHub(environment)) stderr.write(annotation(failure));
}

export function annotation({ code, message, hint }: Failure): string {
  return annotationLine({
    level: "error",
    title: `lambda-pack${code === undefined ? "" : ` ${code}`}`,
    text: hint === undefined ? message : `${message}\nfix: ${hint}`,
  });
}

/** Formats a warning as an annotation of GitHub Actions. */
export function warningAnnotation({
  message,
  hint,
}: {
  readonly message: string;
  readonly hint?: string;
}): string {
  const text = hint === undefined ? message : `${message}\nfix: ${hint}`;
  return annotationLine({ level: "warning", title: "lambda-pack", text });
}

/** Prints the error as one JSON object. */
export function printFailureJson(
  { code, message, hint, trace }: Failure,
  stderr: Io["stderr"],
  verbose: boolean,
): void {
  stderr.write(jsonLine({ type: "error", code, message, hint, ...(verbose && { trace }) }));
}
