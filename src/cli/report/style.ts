import { styleText } from "node:util";
import type { Output } from "../io.ts";

/** A line that stays on the screen: a short label, then the text. */
export interface Line {
  readonly label: string;
  readonly text: string;
  readonly tone: "fact" | "done" | "warning" | "detail";
}

const lineWith =
  (tone: Line["tone"]) =>
  (label: string, text: string): Line => ({ label, text, tone });

export const fact = lineWith("fact");
export const warning = lineWith("warning");
export const detail = lineWith("detail");

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
