import type { BuildEvent } from "../../events.ts";
import type { PushResult } from "../../index.ts";
import { clean } from "../text/escape.ts";
import { formatBytes, formatDuration, plural, shortDigest } from "../text/format.ts";
import { awsLineOf } from "./aws-lines.ts";
import type { EventOf } from "./reporter.ts";
import { detail, fact, type Line, warning } from "./style.ts";
import type { Tally } from "./tally.ts";

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
