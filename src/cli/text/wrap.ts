import stringWidth from "string-width";
import wrapAnsi from "wrap-ansi";

/** Columns that `text` takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** `text` as lines of at most `columns` columns, broken at spaces and, where a word is longer, inside it. */
export function wrap(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, Math.max(1, columns), { hard: true }).split("\n");
}

/** `text` in at most `columns` columns of a terminal; a cut one ends with an ellipsis. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += widthOf(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return columns > 0 ? `${kept}…` : "";
}
