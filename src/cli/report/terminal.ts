import type { Io } from "../io.ts";
import { clean } from "../text/escape.ts";
import { cut, wrap, wrapIndented } from "../text/wrap.ts";
import { doneLines, type Line, lineOf } from "./lines.ts";
import { printFailure } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { paint } from "./style.ts";
import { Tally } from "./tally.ts";

/** The spinner, its space, and the last column, where some terminals wrap already. */
const NOT_TEXT = 3;
const LABEL_COLUMNS = 8;
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
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let published = false;
  const refresh = () => {
    refreshedAt = now();
    spinner.text = cut(clean(tally.live()), Math.max(0, (stderr.columns ?? 0) - NOT_TEXT));
  };
  const aside = (print: () => void) => {
    spinner.stop();
    print();
    refresh();
  };
  const say = ({ label, text, tone }: Line) => {
    const folded = wrapIndented(text, Math.max(20, (stderr.columns ?? 80) - LABEL_COLUMNS), 0).replaceAll(
      "\n",
      `\n${" ".repeat(LABEL_COLUMNS)}`,
    );
    stderr.write(`${paint(label.padEnd(LABEL_COLUMNS), tone, stderr)}${folded}\n`);
  };
  refresh();
  spinner.start();
  return {
    event: (event) => {
      tally.add(event, now());
      published ||= event.type === "image-published";
      const line = lineOf(event, tally, verbose);
      if (line) {
        aside(() => say(line));
        spinner.start();
      } else if (now() - refreshedAt >= REFRESH_MS) refresh();
    },
    stopping: () =>
      aside(() => say({ label: "stopping ", text: "(press Ctrl-C again to force)", tone: "warning" })),
    stopped: () =>
      aside(() => say({ label: "stopped ", text: "nothing was left half-written", tone: "warning" })),
    finish: (result) =>
      aside(() => {
        for (const line of doneLines(result, published, verbose)) say(line);
      }),
    fail: (failure) => aside(() => printFailure(failure, io, { verbose, wrap })),
    close: () => void spinner.stop(),
  };
}
