import type { BuildEvent } from "../../events.ts";
import type { Io } from "../io.ts";
import { jsonLine } from "../text/format.ts";
import type { Reporter } from "./reporter.ts";

/** At most one line is printed in this time for the same layer or blob. */
const PROGRESS_EVERY_MS = 100;

/**
 * Prints one JSON object per line: each event unchanged, and `error`, `stopping` and `stopped` in
 * the same form.
 */
export function jsonReporter({ stderr, now }: Pick<Io, "stderr" | "now">, verbose: boolean): Reporter {
  const printedAt = new Map<string, number>();
  const print = (value: object) => void stderr.write(jsonLine(value));
  return {
    event: (event) => {
      const key = progressKey(event);
      if (key !== undefined && now() - (printedAt.get(key) ?? Number.NEGATIVE_INFINITY) < PROGRESS_EVERY_MS)
        return;
      if (key !== undefined) printedAt.set(key, now());
      print(event);
    },
    stopping: (signal) => print({ type: "stopping", signal }),
    stopped: (signal) => print({ type: "stopped", signal }),
    finish: () => {},
    fail: ({ code, message, hint, trace }) =>
      print({ type: "error", code, message, hint, ...(verbose && { trace }) }),
    close: () => {},
  };
}

/**
 * Returns what an event is the progress of; undefined for all other events and for the last of
 * each, which are always printed.
 */
function progressKey(event: BuildEvent): string | undefined {
  switch (event.type) {
    case "layer-progress":
      return event.bytes < event.totalBytes ? `layer ${event.name}` : undefined;
    case "download-progress":
      return event.received < event.size ? `download ${event.digest}` : undefined;
    case "blob-progress":
      return event.sent < event.size ? `blob ${event.destination} ${event.digest}` : undefined;
    default:
      return undefined;
  }
}

/**
 * Prints the warnings and the error as one JSON object per line, for programs that read stderr at
 * the end.
 */
export function warningsReporter(io: Pick<Io, "stderr" | "now">, verbose: boolean): Reporter {
  const reporter = jsonReporter(io, verbose);
  return {
    ...reporter,
    event: (event) => {
      if (event.type === "warning") reporter.event(event);
    },
    stopping: () => {},
    stopped: () => {},
  };
}
