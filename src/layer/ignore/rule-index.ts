import type { Pattern } from "./pattern.ts";

/** Finds the last of many rules that names a path, and checks only those that may. */
interface RuleIndex {
  /** Returns the number of the last rule that names the path or a parent of it, or -1. */
  last(path: string): number;
  /** Like `last`; `above` is the result of `last` for the path's directory. */
  lastBelow(path: string, above: number): number;
}

interface Numbered {
  readonly pattern: Pattern;
  readonly number: number;
}

/** Indexes rules, so that the time of a look-up grows only with the length of the path. */
export function indexRules(patterns: readonly Pattern[]): RuleIndex {
  const exact = new Map<string, number>();
  const anchored = new Map<string, Numbered[]>();
  const others: Numbered[] = [];
  for (const [number, pattern] of patterns.entries()) {
    if (pattern.exact) exact.set(pattern.start, number);
    else if (pattern.anchor === undefined) others.push({ pattern, number });
    else listAt(anchored, pattern.anchor).push({ pattern, number });
  }
  const exactLengths = [...new Set([...exact.keys()].map((path) => path.length))];
  const lastWild = (path: string, above: number): number => {
    let last = lastNaming(others, path, above);
    if (anchored.size === 0) return last;
    for (const key of keysOf(path)) last = lastNaming(anchored.get(key) ?? [], path, last);
    return last;
  };
  return {
    last(path) {
      const parents = exactLengths.filter(
        (length) => length === path.length || (length < path.length && path[length] === "/"),
      );
      const numbers = parents.map((length) => exact.get(path.slice(0, length)) ?? -1);
      return lastWild(path, Math.max(-1, ...numbers));
    },
    lastBelow: (path, above) => lastWild(path, Math.max(above, exact.get(path) ?? -1)),
  };
}

function listAt(lists: Map<string, Numbered[]>, key: string): Numbered[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** The rules are in ascending order. */
function lastNaming(rules: readonly Numbered[], path: string, above: number): number {
  const found = rules.findLast(({ pattern, number }) => number <= above || pattern.names(path));
  return Math.max(above, found?.number ?? above);
}

/** Returns all values of {@link Pattern.anchor} with which a pattern may name the path. */
function keysOf(path: string): ReadonlySet<string> {
  const names = path.split("/");
  return new Set([...names, ...names.map((name) => name.slice(name.lastIndexOf(".")))]);
}
