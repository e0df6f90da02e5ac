import { posix } from "node:path";
import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import type { ImageFacts } from "../../facts.ts";
import { count, FirstNames, type Problem, type Rule, some } from "../../rule.ts";
import type { RuleVisitor } from "../../visit.ts";

/** Links that lead nowhere: those of pnpm and of npm workspaces into a directory that was not packed, Bazel's into its cache. */
export const links: Rule = {
  id: "links",
  severity: "warning",
  expects: "links in the task root and in /opt lead to something that is in the image",
  otherwise: "Cannot find module, No such file or directory",
  visitor: danglingLinks,
};

/** Following forty links from each of more would take minutes, and no app has as many. */
const MOST_LINKS = 20_000;
/** More lines than these tell no more. */
const MOST_GROUPS = 10;

function danglingLinks(facts: ImageFacts): RuleVisitor {
  const { view } = facts.files;
  const groups = new Map<string, FirstNames>();
  let left = MOST_LINKS;
  return {
    visit(entry) {
      if (entry.kind !== "symlink" || !entry.isOwn || left === 0 || isEnvironment(entry.path)) return;
      left -= 1;
      if (view.resolve(entry.path) || mayBeInBase(entry, facts)) return;
      const key = projectOf(entry.path);
      const names = groups.get(key) ?? new FirstNames();
      if (groups.has(key) || groups.size < MOST_GROUPS) groups.set(key, names);
      names.add(`${nameOf(entry.path, key)} -> ${entry.link}`);
    },
    problems: () => [...groups].map(([project, lost]) => problemOf(project, lost)),
  };
}

/** Links to the interpreter of this machine: another rule reports virtual environments. */
function isEnvironment(path: string): boolean {
  return /(?:^|\/)(?:\.?venv|env)\/(?:bin|lib64)(?:\/|$)/.test(path);
}

/** Directories that a base or a mounted file system fills. */
const OUTSIDE =
  /^\/(?:bin|boot|dev|etc|lib|lib64|mnt|opt|proc|run|sbin|sys|tmp|usr|var\/lang|var\/runtime)(?:\/|$)/;

/** Whether the link leads to layers that were not read. */
function mayBeInBase({ path, link }: ViewEntry, { files: { whole, lacksOwn } }: ImageFacts): boolean {
  if (lacksOwn) return true;
  return !whole && OUTSIDE.test(posix.resolve(`/${posix.dirname(path)}`, link));
}

/** The directory whose packages the link belongs to; that of pnpm's store belongs to it as well. */
function projectOf(path: string): string {
  const at = path.indexOf("/node_modules/");
  return at < 0 ? posix.dirname(path) : path.slice(0, at);
}

function nameOf(path: string, project: string): string {
  return path.slice(project.length + 1).replace(/^node_modules\/(?:\.pnpm\/[^/]+\/node_modules\/)?/, "");
}

function problemOf(project: string, lost: FirstNames): Problem {
  const [first = ""] = lost.names;
  const isPackages = !first.startsWith("/") && /(?:^|\/)node_modules(?:\/|$)|packages\//.test(first);
  return {
    message: `${count(lost.count, "link")} ${lost.count === 1 ? "leads" : "lead"} to nothing in the image: ${some(lost.names, lost.count)}`,
    path: `/${project}`,
    hint: isPackages
      ? "pnpm deploy (pnpm), npm install --install-links (npm workspaces), or build the root of the workspace"
      : "copy what they lead to into the source directory, with real files: cp -rL",
  };
}
