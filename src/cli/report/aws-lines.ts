import type { BuildEvent } from "../../events.ts";
import { formatBytes } from "../text.ts";
import type { Line } from "./line.ts";

interface Columns {
  readonly functionColumns: number;
}

/** The line that an event about repositories and functions is worth. */
export function awsLineOf(event: BuildEvent, columns: Columns): Line | undefined {
  switch (event.type) {
    case "repository-ready":
      return fact("repo", `${event.uri}  ${event.created ? "created" : "present"}`);
    case "policy-change":
      return fact("policy", `${event.change === "added" ? "+" : "-"} ${event.statement}`);
    case "function-step":
      return fact("lambda", `${named(event, columns)}${event.planned ? "would " : ""}${event.what}`);
    case "function-state":
      return fact(
        "lambda",
        `${named(event, columns)}${event.state}${event.reason ? `: ${event.reason}` : ""}`,
      );
    case "function-done":
      return doneLine(event, columns);
    case "image-pruned":
      return fact(
        event.planned ? "unused" : "deleted",
        [event.reference, ...event.tags, formatBytes(event.size)].join("  "),
      );
    default:
      return undefined;
  }
}

/** A row of the table at the end. ARNs are on stdout, and what failed is told in full below. */
function doneLine(event: Extract<BuildEvent, { type: "function-done" }>, columns: Columns): Line {
  const more = event.code ?? (event.version === undefined ? "" : `version ${event.version}`);
  const text = `${named(event, columns)}${event.how.padEnd("unchanged".length)}  ${more}`.trimEnd();
  return { label: "result", text, tone: event.how === "failed" ? "warning" : "done" };
}

/** Function and region, as wide as the widest so far. */
function named(
  event: { readonly function: string; readonly region: string },
  { functionColumns }: Columns,
): string {
  return `${`${event.function} ${event.region}`.padEnd(functionColumns)}  `;
}

function fact(label: string, text: string): Line {
  return { label, text, tone: "fact" };
}
