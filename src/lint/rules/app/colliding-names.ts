import { count, type Rule, some } from "../../rule.ts";
import { listingVisitor, oncePerDirectory, type VisitedFile } from "../../visit.ts";

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
    const namesOf = oncePerDirectory(() => new Map<string, string>());
    return listingVisitor(
      (entry) => (entry.isOwn ? collision(entry, namesOf(entry)) : undefined),
      (found, first) => ({
        message: `${count(found.count, "name")} that ${found.count === 1 ? "differs" : "differ"} only in case or accents: ${some(
          found.names.map((one) => one.slice(one.indexOf("\0") + 1)),
          found.count,
        )}`,
        path: `/${first.slice(0, first.indexOf("\0"))}`,
        hint: "rename one of each, and its imports",
      }),
    );
  },
};

/** Names of larger directories are not compared. */
const MAX_NAMES = 100_000;

/** Returns the path of the entry and, after a NUL, the two names, if its name is among `names`. */
function collision({ directory, name }: VisitedFile, names: Map<string, string>): string | undefined {
  const key = keyOf(name);
  const other = names.get(key);
  if (other === undefined) {
    if (names.size < MAX_NAMES) names.set(key, name);
    return undefined;
  }
  // Sorted: layers are read in parallel, in no fixed order.
  const [first = "", second = ""] = [name, other].sort();
  const path = directory.path === "" ? second : `${directory.path}/${second}`;
  return `${path}\0${JSON.stringify(first)} and ${JSON.stringify(second)}`;
}

function keyOf(name: string): string {
  return /[^ -@[-~]/.test(name) ? name.normalize("NFC").toLowerCase() : name;
}
