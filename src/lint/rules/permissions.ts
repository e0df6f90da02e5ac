import type { ViewEntry } from "../../rootfs/merged-view.ts";
import type { ImageFacts } from "../facts.ts";
import { FirstNames } from "../first-names.ts";
import { count, type Problem, type Rule, some } from "../rule.ts";
import type { RuleVisitor } from "../visit.ts";

/** Code runs as a user of Lambda's own, and reads what everybody may read. */
export const readable: Rule = {
  id: "readable",
  severity: "error",
  expects: "everybody may read the files and enter the directories of the task root and of /opt",
  otherwise: "[Errno 13] Permission denied: '/var/task/app.py'",
  visitor() {
    const closed = new FirstNames();
    return {
      visit(entry) {
        if (entry.isOwn && isClosed(entry)) closed.add(`/${entry.path}`);
      },
      problems: () => unreadable(closed),
    };
  },
};

function unreadable(closed: FirstNames): readonly Problem[] {
  const [first] = closed.names;
  if (first === undefined) return [];
  return [
    {
      message: `${count(closed.count, "file")} or directories that only their owner may read: ${some(closed.names, closed.count)}`,
      path: first,
      hint: "chmod -R a+rX before the image is built; lambda-pack build does so by itself",
    },
  ];
}

function isClosed({ kind, mode }: ViewEntry): boolean {
  return kind === "directory" ? (mode & 0o005) !== 0o005 : kind === "file" && (mode & 0o004) === 0;
}

/** AWS, Lambda Extensions API: external extensions are what is directly in this directory. */
const EXTENSIONS = "opt/extensions";
const MOST_EXTENSIONS = 10;

export const extensions: Rule = {
  id: "extensions",
  severity: "error",
  expects: "what is in /opt/extensions are at most ten files that may be executed",
  otherwise: "Extension.LaunchError, FunctionError.TooManyExtensions",
  check({ files: { view } }) {
    const found = view.list(EXTENSIONS).flatMap((name) => view.resolve(`${EXTENSIONS}/${name}`) ?? []);
    const programs = found.filter(({ kind }) => kind !== "directory");
    return [...programs.flatMap(cannotStart), ...found.flatMap(isDirectory), ...tooMany(programs)];
  },
};

function cannotStart({ path, mode }: ViewEntry): readonly Problem[] {
  if ((mode & 0o001) !== 0) return [];
  return [
    {
      message: "an extension that may not be executed",
      path: `/${path}`,
      hint: `chmod 755 /${path}, or put what is no extension elsewhere in /opt`,
    },
  ];
}

function isDirectory({ kind, path }: ViewEntry): readonly Problem[] {
  if (kind !== "directory") return [];
  return [
    {
      message: "a directory among the extensions, which is left alone",
      path: `/${path}`,
      hint: "put it elsewhere in /opt",
      severity: "info",
    },
  ];
}

function tooMany(programs: readonly ViewEntry[]): readonly Problem[] {
  if (programs.length <= MOST_EXTENSIONS) return [];
  return [
    {
      message: `${programs.length} extensions`,
      path: `/${EXTENSIONS}`,
      hint: `Lambda starts ${MOST_EXTENSIONS} at most`,
    },
  ];
}

/** Links that lead nowhere: pnpm's and npm workspaces' into a directory that was not packed, Bazel's into its cache. */
export const links: Rule = {
  id: "links",
  severity: "warning",
  expects: "links in the task root and in /opt lead to something that is in the image",
  otherwise: "Cannot find module, No such file or directory",
  visitor: (facts) => dangling(facts, facts.files.whole ? () => true : isInside),
};

/** Where the base was not read, only what should be in our own directories is known to be missing. */
function isInside({ link }: ViewEntry): boolean {
  return !link.startsWith("/") && !link.startsWith("../../");
}

/** To follow forty links from each of more would take minutes, and no app has as many. */
const MOST_LINKS = 20_000;

function dangling({ files: { view } }: ImageFacts, counts: (link: ViewEntry) => boolean): RuleVisitor {
  const lost = new FirstNames();
  let left = MOST_LINKS;
  return {
    visit(entry) {
      if (entry.kind !== "symlink" || !entry.isOwn || left === 0 || !counts(entry)) return;
      left -= 1;
      if (!view.resolve(entry.path)) lost.add(`/${entry.path} -> ${entry.link}`);
    },
    problems: () => leadingNowhere(lost),
  };
}

function leadingNowhere(lost: FirstNames): readonly Problem[] {
  const [first] = lost.names;
  if (first === undefined) return [];
  return [
    {
      message: `${count(lost.count, "link")} to what is not in the image: ${some(lost.names, lost.count)}`,
      path: first.split(" -> ")[0],
      hint: "install with real files: npm install --install-links, pnpm deploy, or copy what they mean into the directory",
    },
  ];
}
