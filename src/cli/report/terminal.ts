import type { Io } from "../io.ts";
import { clean } from "../text/escape.ts";
import { cut, wrap } from "../text/wrap.ts";
import { doneLines, type Line, lineOf } from "./lines.ts";
import { printFailure } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { paint } from "./style.ts";
import { Tally } from "./tally.ts";

/** The spinner, its space, and the last column, where some terminals wrap already. */
const NOT_TEXT = 3;
const LABEL_COLUMNS = 8;
/** Narrower text would be a ladder. */
const FEWEST_COLUMNS = 20;
/** As often as the spinner turns; more would not be seen. */
const REFRESH_MS = 80;

/**
 * For people at a terminal: lines that stay, and under them one live line of what is under way.
 * `stderr` must be a terminal with columns: with 0 of them ora never comes back.
 */
export async function terminalReporter(
  io: Pick<Io, "stderr" | "environment" | "now">,
  verbose: boolean,
): Promise<Reporter> {
  const { stderr, now } = io;
  const { default: ora } = await import("ora");
  // discardStdin would put the terminal into raw mode, color would not know NO_COLOR.
  const spinner = ora({ stream: stderr, isEnabled: true, discardStdin: false, color: false });
  const tally = new Tally();
  let published = false;
  const refresh = () => {
    const columns = Math.max(0, (stderr.columns ?? 0) - NOT_TEXT);
    // The cursor waits at the start: all of the line is after it, however often it gets wrapped,
    // and the ^C that a terminal echoes is drawn over.
    spinner.text = `${cut(clean(tally.bar(now(), columns)), columns)}\r`;
  };
  // Written through ora, which draws its line again below.
  const say = ({ label, text, tone }: Line) => {
    const columns = Math.max(FEWEST_COLUMNS, stderr.columns ?? 0) - LABEL_COLUMNS;
    const folded = wrap(text, columns).join(`\n${" ".repeat(LABEL_COLUMNS)}`);
    stderr.write(`${paint(label.padEnd(LABEL_COLUMNS), tone, stderr)}${folded}\n`);
  };
  const resized = () => {
    refresh();
    // A terminal that got narrower may have wrapped the line. ora draws it again after the erasure.
    stderr.write("\u001b[J\r");
  };
  stderr.on("resize", resized);
  // The rate and the time left change while no event comes.
  const timer = setInterval(refresh, REFRESH_MS);
  const close = () => {
    clearInterval(timer);
    stderr.off("resize", resized);
    spinner.stop();
  };
  const last = (print: () => void) => {
    close();
    print();
  };
  refresh();
  spinner.start();
  return {
    event: (event) => {
      tally.add(event, now());
      published ||= event.type === "image-published";
      const line = lineOf(event, tally, verbose);
      if (line) say(line);
    },
    stopping: () =>
      last(() => say({ label: "stopping ", text: "(press Ctrl-C again to force)", tone: "warning" })),
    stopped: () =>
      last(() => say({ label: "stopped ", text: "nothing was left half-written", tone: "warning" })),
    finish: (result) =>
      last(() => {
        for (const line of doneLines(result, published, verbose)) say(line);
      }),
    fail: (failure) => last(() => printFailure(failure, io, { verbose, wrap })),
    close,
  };
}
