import { count, FirstNames, type Problem, type Rule, some } from "../../rule.ts";
import type { VisitedDirectory, VisitedFile } from "../../visit.ts";

/**
 * Linux keeps such names apart; macOS and Windows do not, so that one of the files is lost there.
 */
export const collidingNames: Rule = {
  id: "colliding-names",
  severity: "info",
  expects:
    "no two names in a directory differ only in upper and lower case, or in how their accents are written",
  otherwise:
    "nothing, but a checkout on macOS or Windows has only one of them, and an import finds the wrong one",
  visitor() {
    const found = new FirstNames();
    const collides = collider();
    return {
      visit(entry) {
        const met = entry.isOwn ? collides(entry) : undefined;
        if (met) found.add(`${met.path}\0${JSON.stringify(met.one)} and ${JSON.stringify(met.other)}`);
      },
      problems: () => colliding(found),
    };
  },
};

function colliding(found: FirstNames): readonly Problem[] {
  const told = found.names.map((name) => name.split("\0"));
  const [[path] = []] = told;
  if (path === undefined) return [];
  const pairs = told.map(([, pair = ""]) => pair);
  return [
    {
      message: `${count(found.count, "name")} that ${found.count === 1 ? "differs" : "differ"} only in case or accents: ${some(pairs, found.count)}`,
      path: `/${path}`,
      hint: "rename one of each, and its imports",
    },
  ];
}

/** Names of larger directories are not compared. */
const MOST_NAMES = 100_000;

interface Collision {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

/** Compares the names of one directory at a time, so that only these are in memory. */
function collider(): (entry: VisitedFile) => Collision | undefined {
  let last: VisitedDirectory | undefined;
  let names = new Map<string, string>();
  return ({ directory, name }) => {
    if (directory !== last) [last, names] = [directory, new Map()];
    const key = keyOf(name);
    const one = names.get(key);
    if (one !== undefined) return collision(directory.path, one, name);
    if (names.size < MOST_NAMES) names.set(key, name);
    return undefined;
  };
}

/** Returns the same key for names that differ only in case or accents. */
function keyOf(name: string): string {
  return /[^ -@[-~]/.test(name) ? name.normalize("NFC").toLowerCase() : name;
}

/** Sorts the two names: layers are read in parallel, in no fixed order. */
function collision(directory: string, a: string, b: string): Collision {
  const [one, other] = a < b ? [a, b] : [b, a];
  return { path: directory === "" ? other : `${directory}/${other}`, one, other };
}
