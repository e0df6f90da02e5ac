import { styleText } from "node:util";
import type { Failure } from "../failure.ts";
import type { Io } from "../io.ts";
import { clean } from "../text.ts";

/** `error: what, with which thing` and, indented, the next step; in GitHub Actions also as an annotation. */
export function printFailure(
  failure: Failure,
  { stderr, environment }: Pick<Io, "stderr" | "environment">,
  { verbose }: { readonly verbose: boolean },
): void {
  const lines = [`${styleText("red", "error:", { stream: stderr })} ${clean(failure.message)}`];
  if (failure.hint !== undefined) lines.push(...indented(failure.hint));
  // Of a slip on the command line our own stack says nothing.
  if (verbose && failure.code !== "USAGE") lines.push(...indented(failure.trace));
  if (environment["GITHUB_ACTIONS"] === "true") lines.push(annotation(failure));
  stderr.write(`${lines.join("\n")}\n`);
}

function indented(text: string): readonly string[] {
  return text.split("\n").map((line) => `  ${clean(line)}`);
}

/** A workflow command; what has a meaning in it is escaped as @actions/core does (toolkit, core/src/command.ts). */
export function annotation({ code, message, hint }: Failure): string {
  const title = escaped(`lambda-pack${code === undefined ? "" : ` ${code}`}`)
    .replaceAll(":", "%3A")
    .replaceAll(",", "%2C");
  return `::error title=${title}::${escaped(hint === undefined ? message : `${message}\n${hint}`)}`;
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
