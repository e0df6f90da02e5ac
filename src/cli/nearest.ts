/** The candidate that `word` was probably meant to be, or undefined where none is near. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: edits(word.toLowerCase(), candidate) }))
    .filter((one) => one.edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate ?? unfinished(word, candidates);
}

/** `--insecure` is meant to be `--insecure-registry` when nothing else starts so. */
function unfinished(word: string, candidates: readonly string[]): string | undefined {
  const longer = word.length < 2 ? [] : candidates.filter((candidate) => candidate.startsWith(word));
  return longer.length === 1 ? longer[0] : undefined;
}

/** How many letters to insert, delete, change or swap (optimal string alignment). */
function edits(from: string, to: string): number {
  let before: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      next.push(cheapest(from, to, row, column, { before, last, next }));
    }
    before = last;
    last = next;
  }
  return last[to.length] ?? 0;
}

interface Rows {
  readonly before: readonly number[];
  readonly last: readonly number[];
  readonly next: readonly number[];
}

function cheapest(from: string, to: string, row: number, column: number, rows: Rows): number {
  const same = from[row - 1] === to[column - 1];
  const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
  return Math.min(
    at(rows.last, column) + 1,
    at(rows.next, column - 1) + 1,
    at(rows.last, column - 1) + (same ? 0 : 1),
    swapped ? at(rows.before, column - 2) + 1 : Number.POSITIVE_INFINITY,
  );
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
