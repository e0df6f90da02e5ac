import { posix } from "node:path";
import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import { type ImageFacts, taskRoot, within } from "../../facts.ts";
import { FirstNames, type Problem, quantity, type Rule, shortList } from "../../rule.ts";
import type { RuleVisitor } from "../../visit.ts";

/**
 * Finds links without a target: those of pnpm and npm workspaces into a directory that was not
 * packed, Bazel's into its cache. Links to files that the base may have are reported too.
 */
export const links: Rule = {
  id: "links",
  severity: "warning",
  expects: "links in the task root and in /opt lead to something that is in the image",
  otherwise: "Cannot find module, No such file or directory",
  visitor: danglingLinks,
};

/** Resolving a link takes up to forty steps, so that more links would take minutes. */
const MAX_LINKS = 20_000;
/** The most groups that are reported. */
const MAX_GROUPS = 10;

/** The links of one package whose targets may be provided by the same {@link Place}. */
interface Group {
  readonly directory: string;
  readonly place: Place;
  readonly names: FirstNames;
}

/** What may provide the target of a link. */
type Place = "nowhere" | "base" | "function";

function danglingLinks(facts: ImageFacts): RuleVisitor {
  const groups = new Map<string, Group>();
  let left = MAX_LINKS;
  return {
    visit(entry) {
      if (entry.kind !== "symlink" || !entry.isOwn || left === 0 || isExpected(entry.path)) return;
      left -= 1;
      const place = placeOf(entry, facts);
      if (place === undefined) return;
      const directory = packageOf(entry.path, taskRoot(facts));
      const key = `${place} ${directory}`;
      const group = groups.get(key) ?? { directory, place, names: new FirstNames() };
      if (groups.has(key) || groups.size < MAX_GROUPS) groups.set(key, group);
      group.names.add(`${nameOf(entry.path, directory)} -> ${entry.link}`);
    },
    problems: () => [...groups.values()].map(problemOf),
  };
}

/**
 * Links to the interpreter of this machine: another rule reports virtual environments. And pnpm's
 * links for undeclared imports, which `pnpm deploy` leaves without a target.
 */
function isExpected(path: string): boolean {
  return /(?:^|\/)(?:(?:\.?venv|env)\/(?:bin|lib64)(?:\/|$)|node_modules\/\.pnpm\/node_modules\/)/.test(path);
}

/** Directories that a base fills. */
const OF_BASE = /^\/(?:bin|boot|etc|lib|lib64|opt|sbin|usr|var\/lang|var\/runtime)(?:\/|$)/;
/** Directories that are filled while a function runs. */
const OF_FUNCTION = /^\/(?:dev|mnt|proc|run|sys|tmp)(?:\/|$)/;

/** Returns undefined if the target is in the image, or if that is not known. */
function placeOf(
  { path, link }: ViewEntry,
  { files: { view, whole, lacksOwn } }: ImageFacts,
): Place | undefined {
  if (lacksOwn || view.resolve(path)) return undefined;
  const target = posix.resolve(`/${posix.dirname(path)}`, link);
  if (OF_FUNCTION.test(target)) return "function";
  return !whole && OF_BASE.test(target) ? "base" : "nowhere";
}

/** Returns the directory of a link's package; all in one node_modules count as one. */
function packageOf(path: string, root: string): string {
  const at = path.indexOf("/node_modules/");
  if (at >= 0 && /\/node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path)) return path.slice(0, at);
  const [installed] =
    /^.*\/(?:node_modules\/(?:@[^/]+\/)?|(?:site|dist)-packages\/|gems\/)[^/]+(?=\/)/.exec(path) ?? [];
  if (installed !== undefined) return installed;
  const [top = "", ...rest] = (within(root, path) ?? "").split("/");
  return rest.length > 0 ? posix.join(root, top) : posix.dirname(path);
}

function nameOf(path: string, directory: string): string {
  return path.slice(directory.length + 1).replace(/^node_modules\/(?:\.pnpm\/[^/]+\/node_modules\/)?/, "");
}

function problemOf({ directory, place, names }: Group): Problem {
  const lead = names.count === 1 ? "leads" : "lead";
  const listed = shortList(names.names, names.count);
  const path = `/${directory}`;
  if (place === "nowhere")
    return {
      message: `${quantity(names.count, "link")} ${lead} to nothing in the image: ${listed}`,
      path,
      hint: hintFor(names),
    };
  const message = `${quantity(names.count, "link")} ${lead} out of the app, to files that were not packed: ${listed}`;
  if (place === "base")
    return {
      message,
      path,
      hint: "lambda-pack check --deep shows whether the base has them; if not, copy them: cp -rL",
    };
  return { message, path, hint: "change nothing if they are there when the function runs", severity: "info" };
}

function hintFor({ names: [first = ""] }: FirstNames): string {
  const isPackages = !first.startsWith("/") && /(?:^|\/)node_modules(?:\/|$)|packages\//.test(first);
  return isPackages
    ? "pnpm deploy (pnpm), npm install --install-links (npm workspaces), or build the root of the workspace"
    : "copy what they lead to into the source directory, with real files: cp -rL";
}
