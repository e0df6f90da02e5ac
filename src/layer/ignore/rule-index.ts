import type { Pattern } from "./pattern.ts";

/** Finds the last of many rules that names a path, looking only at those that could. */
export interface RuleIndex {
  /** Its number, or `above` where no later rule names the path or a parent of it. */
  last(path: string, above: number): number;
}

interface Numbered {
  readonly pattern: Pattern;
  readonly number: number;
}

export function indexRules(patterns: readonly Pattern[]): RuleIndex {
  const exact = new Map<string, number>();
  const anchored = new Map<string, Numbered[]>();
  const others: Numbered[] = [];
  for (const [number, pattern] of patterns.entries()) {
    if (pattern.exact) exact.set(pattern.start, number);
    else if (pattern.anchor === undefined) others.push({ pattern, number });
    else listAt(anchored, pattern.anchor).push({ pattern, number });
  }
  return {
    last(path, above) {
      if (patterns.length === 0) return above;
      let last = above;
      for (const parent of pathAndParents(path)) last = Math.max(last, exact.get(parent) ?? above);
      for (const key of keysOf(path)) last = lastNaming(anchored.get(key) ?? [], path, last);
      return lastNaming(others, path, last);
    },
  };
}

function listAt(lists: Map<string, Numbered[]>, key: string): Numbered[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}

/** The rules come in ascending order. */
function lastNaming(rules: readonly Numbered[], path: string, above: number): number {
  const found = rules.findLast(({ pattern, number }) => number <= above || pattern.names(path));
  return Math.max(above, found?.number ?? above);
}

function pathAndParents(path: string): readonly string[] {
  const parents = [path];
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    parents.push(path.slice(0, slash));
  }
  return parents;
}

/** What {@link Pattern.anchor} may give for a pattern that names the path or a parent. */
function keysOf(path: string): readonly string[] {
  const names = path.split("/");
  return [...names, ...names.map((name) => name.slice(name.lastIndexOf(".")))];
}
