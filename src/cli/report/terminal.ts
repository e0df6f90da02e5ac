import type { Io } from "../io.ts";
import { clean } from "../text/format.ts";
import { cut, wrap } from "../text/wrap.ts";
import { doneLines, type Line, lineOf, paint, stoppedText, stoppingText, warning } from "./lines.ts";
import { printFailure, printProblem } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { Tally } from "./tally.ts";

/** The columns of the spinner, its space, and the last one, at which some terminals wrap. */
const NOT_TEXT = 3;
const LABEL_COLUMNS = 8;
/** A narrower column of text would be unreadable. */
const MIN_COLUMNS = 20;
/** The interval of the spinner; a shorter one would not be visible. */
const REFRESH_MS = 80;

/**
 * Prints for people at a terminal: lines that stay, and below them one progress line. `stderr` must
 * be a terminal with columns, because ora hangs on one with 0 columns.
 */
export async function terminalReporter(
  io: Pick<Io, "stderr" | "environment" | "now">,
  verbose: boolean,
): Promise<Reporter> {
  const { stderr, now } = io;
  const { default: ora } = await import("ora");
  // discardStdin would switch the terminal to raw mode, and color would ignore NO_COLOR.
  const spinner = ora({ stream: stderr, isEnabled: true, discardStdin: false, color: false });
  const tally = new Tally();
  let published = false;
  const refresh = () => {
    const columns = Math.max(0, (stderr.columns ?? 0) - NOT_TEXT);
    // The \r leaves the cursor at the start of the line, so that the whole line is erased even if
    // it was wrapped, and the ^C that a terminal echoes is overwritten.
    spinner.text = `${cut(clean(tally.bar(now(), columns)), columns)}\r`;
  };
  // ora hooks the writes to stderr and draws its line again below.
  const print = ({ label, text, tone }: Line) => {
    const columns = Math.max(MIN_COLUMNS, stderr.columns ?? 0) - LABEL_COLUMNS;
    const folded = wrap(text, columns).join(`\n${" ".repeat(LABEL_COLUMNS)}`);
    stderr.write(`${paint(label.padEnd(LABEL_COLUMNS), tone, stderr)}${folded}\n`);
  };
  const resized = () => {
    refresh();
    // A terminal that became narrower may have wrapped the line. ora redraws it after this erasure.
    stderr.write("\u001b[J\r");
  };
  stderr.on("resize", resized);
  // The rate and the time left also change between events.
  const timer = setInterval(refresh, REFRESH_MS);
  const close = () => {
    clearInterval(timer);
    stderr.off("resize", resized);
    spinner.stop();
  };
  const last = (printEnd: () => void) => {
    close();
    printEnd();
  };
  refresh();
  spinner.start();
  return {
    event: (event) => {
      tally.add(event, now());
      published ||= event.type === "image-published";
      if (event.type === "warning") return printProblem("warning", event, io, wrap);
      const line = lineOf(event, tally, verbose);
      if (line) print(line);
    },
    stopping: (signal) => last(() => print(warning("stopping ", stoppingText(signal)))),
    stopped: (signal, outcome) => last(() => print(warning("stopped ", stoppedText(signal, outcome)))),
    finish: (result) =>
      last(() => {
        for (const line of doneLines(result, published, verbose)) print(line);
      }),
    fail: (failure) => last(() => printFailure(failure, io, { verbose, wrap })),
    close,
  };
}
