import type { Io } from "../io.ts";
import type { Output, Progress } from "../output-options.ts";
import { jsonReporter } from "./json.ts";
import { plainReporter } from "./plain.ts";
import { quietReporter } from "./quiet.ts";
import type { Reporter } from "./reporter.ts";
import { terminalReporter } from "./terminal.ts";

type Chosen = Exclude<Progress, "auto">;

/** The reporter that the flags ask for and stderr can bear. */
export async function openReporter(
  flags: Pick<Output, "progress" | "quiet" | "verbose">,
  io: Io,
): Promise<Reporter> {
  switch (chosen(flags, io)) {
    case "tty":
      return terminalReporter(io, flags.verbose);
    case "plain":
      return plainReporter(io, flags.verbose);
    case "json":
      return jsonReporter(io, flags.verbose);
    case "none":
      return quietReporter(io, flags.verbose);
  }
}

/** `tty` where nobody could see it is `plain`. */
function chosen({ progress, quiet }: Pick<Output, "progress" | "quiet">, io: Io): Chosen {
  if (quiet) return "none";
  if (progress !== "auto" && progress !== "tty") return progress;
  return isLively(io) ? "tty" : "plain";
}

/** Whether a line can be drawn over. A pty without a size (`script -qc … /dev/null`) has 0 columns, and ora hangs on it. */
export function isLively({ stderr, environment }: Pick<Io, "stderr" | "environment">): boolean {
  const { CI: ci = "", TERM: term } = environment;
  const inCi = ci !== "" && ci !== "0" && ci.toLowerCase() !== "false";
  return stderr.isTTY === true && (stderr.columns ?? 0) > 0 && !inCi && term !== "dumb";
}
