import { styleText } from "node:util";
import type { BuildEvent } from "../../events.ts";
import type { PushResult } from "../../index.ts";
import type { Output } from "../io.ts";
import { clean, formatBytes, formatDuration, plural, shortDigest } from "../text/format.ts";
import type { EventOf } from "./reporter.ts";
import type { Tally } from "./tally.ts";

/** A line that stays on the screen: a short label, then the text. */
export interface Line {
  readonly label: string;
  readonly text: string;
  readonly tone: "fact" | "done" | "warning" | "detail";
}

const lineWith =
  (tone: Line["tone"]) =>
  (label: string, text: string): Line => ({ label, text, tone });

const fact = lineWith("fact");
export const warning = lineWith("warning");
const detail = lineWith("detail");

/** Says that a signal came. */
export function stoppingText(signal: string): string {
  return signal === "SIGINT" ? "(press Ctrl-C again to force)" : `(a second ${signal} ends it at once)`;
}

/** Says what has stopped. `outcome`: what the command says about it. */
export function stoppedText(signal: string, outcome: string | undefined): string {
  return outcome ?? `by ${signal === "SIGINT" ? "Ctrl-C" : signal}`;
}

const COLOURS = { fact: "cyan", done: "green", warning: "yellow", detail: "gray" } as const;

/** Colours a label by its tone, if the stream supports colours; NO_COLOR and FORCE_COLOR apply. */
export function paint(text: string, tone: Line["tone"], stream: Output): string {
  return styleText(COLOURS[tone], text, { stream });
}

/** Formats a title so that it stands out. */
export type Mark = (text: string) => string;

export function titles(stream: Output): Mark {
  return (text) => paint(text, "fact", stream);
}

/** Returns the line for an event, or undefined if the event only changes the progress line. */
export function lineOf(event: BuildEvent, tally: Tally, verbose: boolean): Line | undefined {
  const line = newsOf(event, tally) ?? (verbose ? detailOf(event) : undefined);
  return line && { ...line, text: clean(line.text) };
}

function newsOf(event: BuildEvent, tally: Tally): Line | undefined {
  switch (event.type) {
    case "base-detected":
      return fact("base", `${event.base}  from ${event.reason}`);
    case "base-resolved":
      return fact(
        event.isCopied ? "copy" : "base",
        `${event.reference}  ${event.platform}  ${shortDigest(event.digest)}`,
      );
    case "files-collected":
      return fact("files", filesText(event));
    case "handler-found":
      return fact("handler", event.isGiven ? event.handler : `${event.handler}  found in the files`);
    case "dependencies-planned":
      return fact("install", plannedText(event));
    case "dependency-listed":
      return fact("package", packageText(event.dependency));
    case "dependencies-ready":
      return fact("install", readyText(event));
    case "layer-ready":
      return event.how === "base" ? undefined : fact("layer", layerText(event));
    case "image-composed":
      return fact(
        "image",
        `${shortDigest(event.digest)}  ${plural(event.layers, "layer")}  ${formatBytes(event.size)}`,
      );
    case "image-published":
      return fact("sent", publishedText(event, tally));
    case "function-ready":
      return fact("done", `${event.name}  ${event.reference}`);
    case "image-changed":
      return fact("changed", event.what);
    case "file-written":
      return fact("wrote", `${event.path}  ${event.what}`);
    case "function-started":
      return fact("run", `${event.handler}  ${event.ranWith}`);
    case "listening":
      return fact("listen", `${event.url}  ${event.functions.join(", ")}`);
    case "retrying":
      return warning("retry", retryText(event));
    case "waiting":
      return warning("wait", waitingText(event));
    default:
      return awsLineOf(event, tally);
  }
}

function filesText({ directory, files, bytes, leftOut }: EventOf<"files-collected">): string {
  const without =
    leftOut.length === 0
      ? []
      : [`without ${leftOut.slice(0, 4).join(", ")}${leftOut.length > 4 ? " ..." : ""}`];
  return [directory, plural(files, "file"), formatBytes(bytes), ...without].join("  ");
}

function plannedText({ way, lockFile, packages, leftOut }: EventOf<"dependencies-planned">): string {
  const left = leftOut.length === 0 ? [] : [`the existing ${leftOut.join(", ")} is not packed`];
  return [`${lockFile} by ${way}`, ...(packages > 0 ? [plural(packages, "package")] : []), ...left].join(
    "  ",
  );
}

function packageText({ name, version, size }: EventOf<"dependency-listed">["dependency"]): string {
  return `${name} ${version}${size === undefined ? "" : `  ${formatBytes(size)}`}`;
}

function readyText({ how, packages }: EventOf<"dependencies-ready">): string {
  const count = packages.length === 0 ? "" : `${plural(packages.length, "package")} `;
  return how === "reused" ? `${count}in existing layers, nothing downloaded` : `${count}installed`;
}

function detailOf(event: BuildEvent): Line | undefined {
  if (event.type === "request") {
    const answer = event.status === 0 ? "no answer" : String(event.status);
    return detail("http", `${event.method} ${event.url}  ${answer}  ${formatDuration(event.ms)}`);
  }
  if (event.type !== "blob-done") return undefined;
  return detail("blob", `${shortDigest(event.digest)}  ${formatBytes(event.size)}  ${event.how}`);
}

/** Milliseconds. For a build that takes longer, the time of each step is printed. */
const LONG_MS = 2000;

/** Returns the last lines: the time of each step, and the end. */
export function doneLines({ stats }: PushResult, published: boolean, verbose: boolean): readonly Line[] {
  const sent = published ? `${formatBytes(stats.sent)} sent` : "nothing was sent";
  const done: Line = { label: "done", text: `in ${formatDuration(stats.ms)}, ${sent}`, tone: "done" };
  const parts = Object.entries(stats.spent).filter(([, ms]) => ms > 0);
  if (parts.length === 0 || (!verbose && stats.ms <= LONG_MS)) return [done];
  return [detail("time", parts.map(([part, ms]) => `${part} ${formatDuration(ms)}`).join(", ")), done];
}

type LayerReady = EventOf<"layer-ready">;

function layerText(event: LayerReady): string {
  const { name, files, bytes, size } = event;
  return `${name}  ${plural(files, "file")}  ${formatBytes(bytes)} -> ${formatBytes(size)}  ${howText(event)}`;
}

/** Below these, a rate would be inaccurate. */
const RATE_FROM_MS = 100;
const RATE_FROM_BYTES = 1_000_000;

function howText({ how, from, bytes, ms }: LayerReady): string {
  // The registry and the path are left out, because the image goes to the same ones.
  if (from !== undefined) return `${how} from ${from.slice(from.lastIndexOf("/") + 1)}`;
  const isLong = ms >= RATE_FROM_MS && bytes >= RATE_FROM_BYTES;
  return how === "built" && isLong ? `${how} at ${formatBytes((bytes * 1000) / ms)}/s` : how;
}

function publishedText({ reference, digest, tags }: EventOf<"image-published">, tally: Tally): string {
  const destination = reference.endsWith(`@${digest}`) ? reference.slice(0, -digest.length - 1) : reference;
  return [`${destination}${tags.length === 0 ? "" : `:${tags.join(",")}`}`, tally.given(destination)]
    .filter((part) => part !== "")
    .join("  ");
}

function retryText({ what, reason, attempt, waitMs }: EventOf<"retrying">): string {
  return `${what}: ${reason}; attempt ${attempt} in ${formatDuration(waitMs)}`;
}

function waitingText({ what, silentMs, leftMs }: EventOf<"waiting">): string {
  return `${what} for ${formatDuration(silentMs)}; given up in ${formatDuration(leftMs)}`;
}

interface Columns {
  readonly functionColumns: number;
}

/** Returns the line for an event about repositories or functions, if it has one. */
function awsLineOf(event: BuildEvent, columns: Columns): Line | undefined {
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
