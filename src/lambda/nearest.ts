/** Longer names are not compared: the time grows with the product of the lengths. */
const MAX_LENGTH = 200;

/** Returns candidates like `wanted`, the best first; at most half of the letters may differ. */
export function nearest(wanted: string, candidates: Iterable<string>, limit = 3): readonly string[] {
  if (wanted.length > MAX_LENGTH) return [];
  return [...new Set(candidates)]
    .filter(({ length }) => length <= MAX_LENGTH)
    .map((name) => ({ name, edits: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.max(wanted.length, name.length) / 2)
    .sort((a, b) => a.edits - b.edits)
    .slice(0, limit)
    .map(({ name }) => name);
}

/** Counts letters to insert, delete, replace or swap (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const swapped =
        a[i] === b[j - 1] && a[i - 1] === b[j] ? at(before, j - 1) + 1 : Number.POSITIVE_INFINITY;
      const replaced = at(row, j) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(swapped, replaced, at(row, j + 1) + 1, at(next, j) + 1));
    }
    before = row;
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/** Joins names: `a`, `a or b`, `a, b or c`. */
export function oneOf(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** Shows the first names: `a, b, c and 4 more`. `total`: how many there are, if not all are given. */
export function shortList(names: readonly string[], total: number = names.length, shown = 3): string {
  const more = total - Math.min(shown, names.length);
  return names.slice(0, shown).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
