import { randomUUID } from "node:crypto";
import type { Environment } from "../../index.ts";

/**
 * Makes text safe for a terminal: a control character could move the cursor or change colours, and
 * a direction mark could make a name look like another.
 */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this function replaces them
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
}

export function isGitHub(environment: Environment): boolean {
  return environment["GITHUB_ACTIONS"] === "true";
}

/**
 * Escapes text for a log. A runner of GitHub Actions executes a line that begins with `::`, and
 * `##[` anywhere in a line, as a command.
 */
export function logText(text: string, environment: Environment): string {
  if (!isGitHub(environment)) return text;
  return text.replaceAll("##[", "## [").replace(/^(\s*)::/gm, "$1: :");
}

/**
 * Formats a value as JSON on one line, without characters that a terminal or a runner would act on.
 */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value)
    .replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (one) => {
      return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
    })
    .replaceAll("##[", "#\\u0023[");
  return `${text}\n`;
}

/** Formats an output of a step for GITHUB_OUTPUT, including values of several lines. */
export function outputLine(name: string, value: string): string {
  if (!/[\r\n]/.test(value)) return `${name}=${value}\n`;
  const end = `end-${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly text: string;
  /** The file at which the annotation is shown. */
  readonly file?: string | undefined;
}

/**
 * Formats a workflow command of GitHub Actions, escaped like actions/toolkit (core/src/command.ts).
 */
export function annotationLine({ level, title, text, file }: Annotation): string {
  const place = file === undefined ? "" : `file=${property(file)},`;
  return `::${level} ${place}title=${property(title)}::${data(text)}\n`;
}

function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

export { formatBytes } from "../../report/format.ts";

/** Formats milliseconds: `80 ms`, `3.2 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`;
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Adds the noun with a plural s where needed: `1 file`, `412 files`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Shortens a digest to 12 hexadecimal digits: `sha256:0123456789ab`. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]+$/, "$1");
}
