import { randomUUID } from "node:crypto";
import type { Environment } from "../../index.ts";

/**
 * Text from outside, safe on a terminal: a control character could move the cursor or colour the
 * screen, and a direction mark could make a name read as another.
 */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
}

export function isGitHub(environment: Environment): boolean {
  return environment["GITHUB_ACTIONS"] === "true";
}

/**
 * Lines for a log that people read. A runner of GitHub Actions takes a line that begins with `::`,
 * and `##[` anywhere in a line, for a command to itself: neither comes through.
 */
export function logText(text: string, environment: Environment): string {
  if (!isGitHub(environment)) return text;
  return text.replaceAll("##[", "## [").replace(/^(\s*)::/gm, "$1: :");
}

/** One JSON document on one line, with no character that a terminal or a runner would act on. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value)
    .replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (one) => {
      return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
    })
    .replaceAll("##[", "#\\u0023[");
  return `${text}\n`;
}

/** An output of a step, as GITHUB_OUTPUT takes it: a value of several lines stays one value. */
export function outputLine(name: string, value: string): string {
  if (!/[\r\n]/.test(value)) return `${name}=${value}\n`;
  const end = `end-${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly text: string;
  /** The file that it is shown at. */
  readonly file?: string | undefined;
}

/** A workflow command of GitHub Actions; escaped as actions/toolkit does (core/src/command.ts). */
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
