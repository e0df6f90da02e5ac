import { isNever } from "../../layer/ignore/never.ts";
import { secretIn } from "../secrets.ts";
import { type ImageFacts, taskRoot, within } from "./facts.ts";
import { Few } from "./few.ts";
import { count, type Rule, some } from "./rule.ts";

/** The keys that packages ship are for their own tests, and known to all. */
const NOT_OWN = /(?:^|\/)(?:node_modules|site-packages|dist-packages|vendor\/bundle|botocore|certifi)\//;

export const secretFiles: Rule = {
  id: "secret-files",
  severity: "warning",
  expects: "the image holds no private keys, .env files or credentials of tools",
  otherwise: "nothing: they are open to whoever may pull the image",
  check(facts) {
    const installed = installedFiles(facts);
    const found = new Few();
    for (const { path, what } of secrets(facts)) if (!installed.has(path)) found.add(`/${path} (${what})`);
    const [first] = found.names;
    if (first === undefined) return [];
    return [
      {
        message: `${count(found.count, "file")} that should not be in an image: ${some(found.names, found.count)}`,
        path: first.replace(/ \(.*$/, ""),
        hint: "take them out in the layer that brings them (a later layer does not remove them), and make new keys",
      },
    ];
  },
};

/** What Python packages say that they installed, as far as it has a secret's name. */
function installedFiles({ files: { view, evidence } }: ImageFacts): ReadonlySet<string> {
  const installed = new Set<string>();
  for (const { path } of view.entries()) {
    const [, site = ""] = /^(.*\/)?[^/]+\.dist-info\/RECORD$/.exec(path) ?? [];
    const lines = path.endsWith(".dist-info/RECORD") ? evidence.text(path)?.split("\n") : undefined;
    for (const line of lines ?? []) installed.add(site + (line.split(",", 1)[0] ?? ""));
  }
  return installed;
}

function* secrets(facts: ImageFacts): Generator<{ readonly path: string; readonly what: string }> {
  const { view, evidence } = facts.files;
  for (const { path, kind, size } of view.entries()) {
    if (kind !== "file" || NOT_OWN.test(path) || !isOwn(path, facts)) continue;
    const inside = within(taskRoot(facts), path) ?? path;
    if (facts.allowedSecrets?.includes(inside)) continue;
    const what = isHistory(inside) ? "credentials or history" : secretIn(path, size, evidence.text(path));
    if (what !== undefined) yield { path, what };
  }
}

/** Of what is never packed, all but the harmless. */
function isHistory(path: string): boolean {
  return isNever(path) && !/(?:^|\/)\.(?:DS_Store|dockerignore|lambdaignore)$/.test(path);
}

/** A system has certificates and keys of its own in /etc and /usr. */
function isOwn(path: string, facts: ImageFacts): boolean {
  return ["var/task", "opt", "root", "home", "app", taskRoot(facts)].some(
    (folder) => folder !== "" && path.startsWith(`${folder}/`),
  );
}
