const CLAUSE =
  /(\^|~=|~>|~|={1,3}|!=|>=|<=|>|<)?\s*v?(\d+(?:\.\d+)*)?(\.?[xX*](?:\.[xX*])*)?(?:(?<=\d)[-+a-z][\w.+-]*)?/y;

interface Clause {
  readonly operator: string;
  readonly wanted: readonly number[];
  readonly isPrefix: boolean;
}

/**
 * Returns whether a release of `version` (`[22]`, `[3, 12]`: any patch of it) is in the range,
 * which is written as npm, PEP 440, Poetry or RubyGems do. undefined: the range cannot be read.
 */
export function rangeAllows(range: string, version: readonly number[]): boolean | undefined {
  const alternatives = range.split(/\|\|?/).map(parseClauses);
  if (alternatives.includes(undefined)) return undefined;
  return alternatives.some((clauses) => clauses?.every((clause) => allows(clause, version)));
}

function parseClauses(text: string): readonly Clause[] | undefined {
  const plain = text.trim().replace(/^(\S+)\s+-\s+(\S+)$/, ">=$1 <=$2");
  const clauses: Clause[] = [];
  for (let at = 0; at < plain.length; ) {
    const [separator = ""] = /^[\s,]+/.exec(plain.slice(at)) ?? [];
    at += separator.length;
    CLAUSE.lastIndex = at;
    const [all = "", operator = "", numbers, wildcard] = CLAUSE.exec(plain) ?? [];
    if (numbers === undefined && wildcard === undefined) return undefined;
    const wanted = numbers === undefined ? [] : numbers.split(".").map(Number);
    clauses.push({ operator, wanted, isPrefix: wildcard !== undefined });
    at += all.length;
  }
  return clauses.length === 0 ? undefined : clauses;
}

/** Ignores numbers of the range that the version lacks: some patch release is on either side. */
function allows({ operator, wanted, isPrefix }: Clause, version: readonly number[]): boolean {
  if (wanted.length === 0) return true;
  const isFiner = wanted.length > version.length;
  const order = compare(version, wanted.slice(0, version.length));
  switch (operator) {
    case ">=":
      return order >= 0;
    case ">":
      return order > 0 || (order === 0 && isFiner);
    case "<=":
      return order <= 0;
    case "<":
      return order < 0 || (order === 0 && wanted.slice(version.length).some((number) => number > 0));
    case "!=":
      return (isFiner && !isPrefix) || !startsWith(version, wanted);
    case "^":
      return order >= 0 && startsWith(version, wanted.slice(0, 1));
    case "~":
      return order >= 0 && startsWith(version, wanted.slice(0, 2));
    case "~=":
    case "~>":
      return order >= 0 && startsWith(version, wanted.slice(0, Math.max(1, wanted.length - 1)));
    default:
      return startsWith(version, wanted);
  }
}

function startsWith(version: readonly number[], prefix: readonly number[]): boolean {
  return version.every((number, index) => index >= prefix.length || prefix[index] === number);
}

function compare(version: readonly number[], wanted: readonly number[]): number {
  for (const [index, number] of version.entries()) {
    const other = wanted[index] ?? 0;
    if (number !== other) return number - other;
  }
  return 0;
}
