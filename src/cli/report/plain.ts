import type { Io } from "../io.ts";
import { clean, logText } from "../text/format.ts";
import { doneLines, type Line, lineOf, paint, stoppedText, stoppingText, warning } from "./lines.ts";
import { printFailure, printWarning, type Wrap } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { Tally } from "./tally.ts";

const HEARTBEAT_MS = 10_000;
/** The start of the further lines of a text, on a terminal. */
const INDENT = "  ";

/**
 * Prints to pipes and logs: a line for each event that has one, and one every 10 s while bytes
 * move, so that CI systems do not stop a job without output.
 * @param wrap breaks lines at words; undefined if stderr is not a terminal
 */
export function plainReporter(
  io: Pick<Io, "stderr" | "environment" | "now">,
  verbose: boolean,
  wrap?: Wrap,
): Reporter {
  const { stderr, environment, now } = io;
  const tally = new Tally();
  const startedAt = now();
  let spokeAt = startedAt;
  let published = false;
  const print = ({ label, text, tone }: Line) => {
    spokeAt = now();
    const line = `${elapsed(spokeAt - startedAt)} ${paint(label, tone, stderr)} ${text}`;
    const lines = wrap ? wrap(line, (stderr.columns || 80) - INDENT.length) : [line];
    stderr.write(logText(`${lines.join(`\n${INDENT}`)}\n`, environment));
  };
  return {
    event: (event) => {
      if (event.type === "function-log") return void stderr.write(logText(`${event.line}\n`, environment));
      tally.add(event, now());
      published ||= event.type === "image-published";
      if (event.type === "warning") {
        spokeAt = now();
        return printWarning(event, io, wrap);
      }
      const line = lineOf(event, tally, verbose);
      if (line) print(line);
      if (!line && tally.isMoving && now() - spokeAt >= HEARTBEAT_MS) {
        print({ label: "...", text: clean(tally.line(now())), tone: "detail" });
      }
    },
    stopping: (signal) => print(warning("stopping", stoppingText(signal))),
    stopped: (signal, outcome) => print(warning("stopped", stoppedText(signal, outcome))),
    finish: (result) => {
      for (const line of doneLines(result, published, verbose)) print(line);
    },
    fail: (failure) => printFailure(failure, io, { verbose, wrap }),
    close: () => {},
  };
}

/** Formats the elapsed time: `[  1.2s]`. */
function elapsed(ms: number): string {
  return `[${(ms / 1000).toFixed(1).padStart(5)}s]`;
}
