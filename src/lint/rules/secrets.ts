import { secretIn } from "../../lambda/secrets.ts";
import { isPrivate } from "../../layer/ignore/never.ts";
import { type ImageFacts, taskRoot } from "../facts.ts";
import { FirstNames } from "../first-names.ts";
import { count, type Problem, type Rule, some } from "../rule.ts";
import type { VisitedDirectory, VisitedFile } from "../visit.ts";

/** The keys that packages ship are for their own tests, and known to all. */
const NOT_OWN = /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor\/bundle|botocore|certifi)\//;

export const secretFiles: Rule = {
  id: "secret-files",
  severity: "warning",
  expects: "the image holds no private keys, .env files or credentials of tools",
  otherwise: "nothing: they are open to whoever may pull the image",
  visitor(facts) {
    const installed = installedFiles(facts);
    const isOwn = ownership(facts);
    const found = new FirstNames();
    return {
      visit(file) {
        const what = file.kind === "file" && isOwn(file.directory) ? whatIs(file, facts) : undefined;
        if (what !== undefined && !installed.has(file.path)) found.add(`/${file.path} (${what})`);
      },
      problems: () => problemsOf(found),
    };
  },
};

function problemsOf(found: FirstNames): readonly Problem[] {
  const [first] = found.names;
  if (first === undefined) return [];
  return [
    {
      message: `${count(found.count, "file")} that should not be in an image: ${some(found.names, found.count)}`,
      path: first.replace(/ \(.*$/, ""),
      hint: "take them out in the layer that brings them (a later layer does not remove them), and make new keys",
    },
  ];
}

/** What Python packages say that they installed, as far as it has a secret's name. */
function installedFiles({ files: { view, contents } }: ImageFacts): ReadonlySet<string> {
  const installed = new Set<string>();
  for (const [path, text] of contents.records()) {
    const [, site = ""] = /^(.*\/)?[^/]+\.dist-info\/RECORD$/.exec(path) ?? [];
    if (!view.get(path)) continue;
    for (const line of text.split("\n")) installed.add(site + (line.split(",", 1)[0] ?? ""));
  }
  return installed;
}

function whatIs({ path, name, directory, size }: VisitedFile, { files, allowedSecrets }: ImageFacts) {
  const inside = directory.inside === undefined ? path : directory.inside + name;
  if (allowedSecrets?.includes(inside)) return undefined;
  return isHistory(inside) ? "credentials or history" : secretIn(path, size, files.contents.text(path));
}

/** Of what is never packed, all but the harmless. */
function isHistory(path: string): boolean {
  return isPrivate(path) && !/(?:^|\/)\.DS_Store$/.test(path);
}

/** A system has certificates and keys of its own in /etc and /usr. Each directory is judged once. */
function ownership(facts: ImageFacts): (directory: VisitedDirectory) => boolean {
  const roots = ["var/task", "opt", "root", "home", "app", taskRoot(facts)].filter((root) => root !== "");
  let last: VisitedDirectory | undefined;
  let isOwn = false;
  return (directory) => {
    if (directory === last) return isOwn;
    const path = `${directory.path}/`;
    last = directory;
    isOwn = !NOT_OWN.test(path) && roots.some((root) => path.startsWith(`${root}/`));
    return isOwn;
  };
}
