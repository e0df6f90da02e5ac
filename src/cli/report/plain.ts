import { clean } from "../escape.ts";
import type { Io } from "../io.ts";
import { doneLines, type Line, lineOf } from "./lines.ts";
import { printFailure } from "./problem.ts";
import type { Reporter } from "./reporter.ts";
import { paint } from "./style.ts";
import { Tally } from "./tally.ts";

const HEARTBEAT_MS = 10_000;

/** For pipes and logs: a line for each event that is worth one, and every 10 s while bytes move, so that no CI takes it for dead. */
export function plainReporter(io: Pick<Io, "stderr" | "environment" | "now">, verbose: boolean): Reporter {
  const { stderr, now } = io;
  const tally = new Tally();
  const startedAt = now();
  let spokeAt = startedAt;
  let published = false;
  const say = ({ label, text, tone }: Line) => {
    spokeAt = now();
    stderr.write(`${elapsed(spokeAt - startedAt)} ${paint(label, tone, stderr)} ${text}\n`);
  };
  return {
    event: (event) => {
      if (event.type === "function-log") return void stderr.write(`${event.line}\n`);
      tally.add(event, now());
      published ||= event.type === "image-published";
      const line = lineOf(event, tally, verbose);
      if (line) say(line);
      else if (tally.moving && now() - spokeAt >= HEARTBEAT_MS) {
        say({ label: "...", text: clean(tally.live()), tone: "detail" });
      }
    },
    stopping: (signal) =>
      say({ label: "stopping:", text: `${signal}; once more to stop at once`, tone: "warning" }),
    finish: (result) => {
      for (const line of doneLines(result, published, verbose)) say(line);
    },
    fail: (failure) => printFailure(failure, io, { verbose }),
    close: () => {},
  };
}

/** `[  1.2s]`. */
function elapsed(ms: number): string {
  return `[${(ms / 1000).toFixed(1).padStart(5)}s]`;
}
