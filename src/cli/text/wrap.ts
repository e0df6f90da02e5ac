import widthOf from "string-width";
import wrapAnsi from "wrap-ansi";

/** Returns the number of terminal columns that a text takes. */
export { widthOf };

/**
 * Breaks `text` into lines of at most `columns` columns, at spaces, or within a word that is too
 * long.
 */
export function wrap(text: string, columns: number): readonly string[] {
  return wrapAnsi(text, Math.max(1, columns), { hard: true }).split("\n");
}

/** Cuts `text` to at most `columns` columns, with an ellipsis at the end. */
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
