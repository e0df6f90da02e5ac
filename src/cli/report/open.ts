import type { Output, Progress } from "../arguments/output-options.ts";
import type { Io } from "../io.ts";
import { jsonReporter, warningsReporter } from "./json.ts";
import { plainReporter } from "./plain.ts";
import { printFailureJson } from "./problem.ts";
import { quietReporter, type Reporter } from "./reporter.ts";

type Chosen = Exclude<Progress, "auto">;

/** Opens the reporter for the flags and the abilities of stderr. */
export async function openReporter(
  flags: Pick<Output, "json" | "progress" | "quiet" | "verbose">,
  io: Io,
): Promise<Reporter> {
  const reporter = await reporterFor(chosen(flags, io), io, flags.verbose);
  if (!flags.json) return reporter;
  return {
    ...reporter,
    fail: (failure) => {
      reporter.close();
      printFailureJson(failure, io.stderr, flags.verbose);
    },
  };
}

async function reporterFor(progress: Chosen | "warnings", io: Io, verbose: boolean): Promise<Reporter> {
  switch (progress) {
    case "tty":
      return (await import("./terminal.ts")).terminalReporter(io, verbose); // imported only here, because it loads the libraries that measure text
    case "plain":
      return plainReporter(io, verbose, io.stderr.isTTY ? (await import("../text/wrap.ts")).wrap : undefined);
    case "json":
      return jsonReporter(io, verbose);
    case "warnings":
      return warningsReporter(io, verbose);
    case "none":
      return quietReporter(io, verbose);
  }
}

/**
 * Chooses `plain` for `tty` without a terminal; with --json, only warnings are printed, as JSON.
 */
function chosen(
  { json, progress, quiet }: Pick<Output, "json" | "progress" | "quiet">,
  io: Io,
): Chosen | "warnings" {
  if (quiet) return "none";
  if (progress !== "auto" && progress !== "tty") return progress;
  if (canRedraw(io)) return "tty";
  return json && progress === "auto" ? "warnings" : "plain";
}

/**
 * Returns whether a line can be redrawn. A pty without a size (`script -qc … /dev/null`) has 0
 * columns, and ora hangs on it.
 */
export function canRedraw({ stderr, environment }: Pick<Io, "stderr" | "environment">): boolean {
  const { CI: ci = "", TERM: term } = environment;
  const inCi = ci !== "" && ci !== "0" && ci.toLowerCase() !== "false";
  return stderr.isTTY === true && (stderr.columns ?? 0) > 0 && !inCi && term !== "dumb";
}
