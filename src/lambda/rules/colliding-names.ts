import { type ImageFacts, isOwnPath } from "./facts.ts";
import { Few } from "./few.ts";
import { count, type Rule, some } from "./rule.ts";

/** Linux keeps them apart; macOS and Windows do not, and what is built there has one of them, or finds it under the name of the other. */
export const collidingNames: Rule = {
  id: "colliding-names",
  severity: "info",
  expects:
    "no two names in a folder differ only in upper and lower case, or in how their accents are written",
  otherwise:
    "nothing: but a checkout on macOS or Windows has only one of them, and an import finds the wrong one",
  check(facts) {
    const found = new Few();
    for (const { path, one, other } of collisions(facts))
      found.add(`${path}\0${JSON.stringify(one)} and ${JSON.stringify(other)}`);
    const told = found.names.map((name) => name.split("\0"));
    const [[path] = []] = told;
    if (path === undefined) return [];
    const pairs = told.map(([, pair = ""]) => pair);
    return [
      {
        message: `${count(found.count, "name")} that ${found.count === 1 ? "differs" : "differ"} only in case or accents: ${some(pairs, found.count)}`,
        path: `/${path}`,
        hint: "rename one of each, the imports of it too",
      },
    ];
  },
};

/** No folder that people look into has more. */
const MOST_NAMES = 100_000;

interface Collision {
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

/** What is in one folder comes together in the view, so that only its names are held. */
function* collisions(facts: ImageFacts): Generator<Collision> {
  let folder: string | undefined;
  let names = new Map<string, string>();
  for (const { path } of facts.files.view.entries()) {
    if (!isOwnPath(path, facts)) continue;
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    if (folder === undefined || folder.length !== slash || !path.startsWith(folder)) {
      folder = path.slice(0, Math.max(slash, 0));
      names = new Map();
    }
    const key = name.normalize("NFC").toLowerCase();
    const one = names.get(key);
    if (one === undefined && names.size < MOST_NAMES) names.set(key, name);
    else if (one !== undefined) yield collision(folder, one, name);
  }
}

/** Layers are read side by side: which of the two came first says nothing. */
function collision(folder: string, a: string, b: string): Collision {
  const [one, other] = a < b ? [a, b] : [b, a];
  return { path: folder === "" ? other : `${folder}/${other}`, one, other };
}
