import type { BuildEvent } from "../../events.ts";
import { formatBytes, plural } from "../text/format.ts";
import type { EventOf } from "./reporter.ts";
import { fact, type Line } from "./style.ts";

interface Columns {
  readonly functionColumns: number;
}

/** Returns the line for an event about repositories or functions, if it has one. */
export function awsLineOf(event: BuildEvent, columns: Columns): Line | undefined {
  switch (event.type) {
    case "repository-ready":
      return fact("repo", `${event.uri}  ${event.created ? "created" : "present"}`);
    case "policy-change":
      return fact("policy", `${event.change === "added" ? "+" : "-"} ${event.statement}`);
    case "repository-note":
      return fact("repo", event.what);
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
        [event.reference, ...event.tags, formatBytes(event.size), ...ownerOf(event)].join("  "),
      );
    case "images-pruned":
      return { label: "result", text: prunedText(event), tone: "done" };
    default:
      return undefined;
  }
}

/** Formats the result of one function. ARNs are on stdout, and errors follow in full. */
function doneLine(event: EventOf<"function-done">, columns: Columns): Line {
  const text = `${named(event, columns)}${event.how.padEnd("unchanged".length)}  ${moreOf(event)}`.trimEnd();
  return { label: "result", text, tone: event.how === "failed" ? "warning" : "done" };
}

function moreOf({ how, code, steps, version }: EventOf<"function-done">): string {
  if (how === "planned") return steps === 0 ? "nothing to change" : plural(steps ?? 0, "change");
  return code ?? (version === undefined ? "" : `version ${version}`);
}

function ownerOf({ owner }: EventOf<"image-pruned">): readonly string[] {
  return owner === undefined ? [] : [`belongs to ${owner}`];
}

function prunedText(event: EventOf<"images-pruned">): string {
  const { images, attached, size, used, kept, planned } = event;
  const what =
    images === 0
      ? "nothing to delete"
      : `${plural(images, "image")}${attached > 0 ? ` and ${attached} attached` : ""} ${planned ? "unused" : "deleted"} (${formatBytes(size)})`;
  const hint = planned && images > 0 ? "; --yes deletes what is unused" : "";
  return `${what}, ${used} used, ${kept} kept${hint}`;
}

/** Formats function and region, padded to the widest so far. */
function named(
  event: { readonly function: string; readonly region: string },
  { functionColumns }: Columns,
): string {
  return `${`${event.function} ${event.region}`.padEnd(functionColumns)}  `;
}
