import { styleText } from "node:util";
import type { Output } from "../io.ts";
import type { Line } from "./lines.ts";

const COLOURS = { fact: "cyan", done: "green", warning: "yellow", detail: "gray" } as const;

/**
 * The label in the colour of its tone, where the stream is one for colours; NO_COLOR and
 * FORCE_COLOR have their say.
 */
export function paint(text: string, tone: Line["tone"], stream: Output): string {
  return styleText(COLOURS[tone], text, { stream });
}

/** How a title is made to stand out. */
export type Mark = (text: string) => string;

export function titles(stream: Output): Mark {
  return (text) => paint(text, "fact", stream);
}
