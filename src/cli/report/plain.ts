import type { Io } from "../io.ts";
import { clean, isGitHub, logText } from "../text/escape.ts";
import { doneLines, lineOf } from "./lines.ts";
import { printFailure, type Wrap, warningAnnotation } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { type Line, paint } from "./style.ts";
import { Tally } from "./tally.ts";

const HEARTBEAT_MS = 10_000;

/**
 * Prints to pipes and logs: a line for each event that has one, and one every 10 s while bytes
 * move, so that CI systems do not stop a job without output.
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
  const say = ({ label, text, tone }: Line) => {
    spokeAt = now();
    stderr.write(
      logText(`${elapsed(spokeAt - startedAt)} ${paint(label, tone, stderr)} ${text}\n`, environment),
    );
  };
  return {
    event: (event) => {
      if (event.type === "function-log") return void stderr.write(logText(`${event.line}\n`, environment));
      tally.add(event, now());
      published ||= event.type === "image-published";
      const line = lineOf(event, tally, verbose);
      if (line) say(line);
      if (event.type === "warning" && isGitHub(environment)) stderr.write(warningAnnotation(event));
      if (!line && tally.isMoving && now() - spokeAt >= HEARTBEAT_MS) {
        say({ label: "...", text: clean(tally.line(now())), tone: "detail" });
      }
    },
    stopping: () => {
      say({ label: "stopping", text: "(press Ctrl-C again to force)", tone: "warning" });
    },
    stopped: () => say({ label: "stopped", text: "nothing was left half-written", tone: "warning" }),
    finish: (result) => {
      for (const line of doneLines(result, published, verbose)) say(line);
    },
    fail: (failure) => printFailure(failure, io, { verbose, wrap }),
    close: () => {},
  };
}

/** Formats the elapsed time: `[  1.2s]`. */
function elapsed(ms: number): string {
  return `[${(ms / 1000).toFixed(1).padStart(5)}s]`;
}
