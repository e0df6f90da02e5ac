import { cut, widthOf } from "../text/wrap.ts";

interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/**
 * Formats the lines of a table. Columns are as wide as their content; only the last is cut, to fit
 * into `columns`.
 */
export function table(
  titles: readonly Column[],
  rows: readonly (readonly string[])[],
  columns: number,
): readonly string[] {
  const all = [titles.map(({ title }) => title), ...rows];
  const widths = titles.map((_, index) => Math.max(...all.map((row) => widthOf(row[index] ?? ""))));
  return all.map((row) => {
    const cells = titles.map(({ right }, index) => pad(row[index] ?? "", widths[index] ?? 0, right));
    return cut(`  ${cells.join("  ")}`.trimEnd(), columns);
  });
}

/** Pads `text` with spaces to `width` columns. */
export function pad(text: string, width: number, right = false): string {
  const space = " ".repeat(Math.max(0, width - widthOf(text)));
  return right ? `${space}${text}` : `${text}${space}`;
}

/** Cuts a path at its start, because the end says more: `…/lib/index.js`. */
export function cutPath(path: string, columns: number): string {
  if (widthOf(path) <= columns) return path;
  const characters = [...path];
  let width = 1;
  let from = characters.length;
  while (from > 0) {
    width += widthOf(characters[from - 1] ?? "");
    if (width > columns) break;
    from -= 1;
  }
  return columns > 0 ? `…${characters.slice(from).join("")}` : "";
}

/** Formats a share: `<0.1 %`, `3.4 %`, `41 %`. */
export function percent(part: number, whole: number): string {
  const value = whole === 0 ? 0 : (part * 100) / whole;
  if (value > 0 && value < 0.05) return "<0.1 %";
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}
