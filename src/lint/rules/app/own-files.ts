import { fileSecret } from "../../../lambda/secrets/files.ts";
import { isPrivate } from "../../../layer/ignore/never.ts";
import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import { isInstalledPath } from "../../contents/files-to-read.ts";
import { type ImageFacts, taskRoot } from "../../facts.ts";
import { quantity, type Rule, shortList } from "../../rule.ts";
import { listingVisitor, oncePerDirectory, type VisitedFile } from "../../visit.ts";

/** Lambda runs code as an unprivileged user, who can read only what all users can read. */
export const readable: Rule = {
  id: "readable",
  severity: "error",
  expects: "all users may read the files and enter the directories of the task root and of /opt",
  otherwise: "[Errno 13] Permission denied: '/var/task/app.py'",
  visitor: () =>
    listingVisitor(
      (entry) => (entry.isOwn && isClosed(entry) ? `/${entry.path}` : undefined),
      (closed, first) => ({
        message: `${quantity(closed.count, "file")} or directories that only their owner may read: ${shortList(closed.names, closed.count)}`,
        path: first,
        hint: "chmod -R a+rX before the image is built; lambda-pack build always does so",
      }),
    ),
};

function isClosed({ kind, mode }: ViewEntry): boolean {
  return kind === "directory" ? (mode & 0o005) !== 0o005 : kind === "file" && (mode & 0o004) === 0;
}

export const secretFiles: Rule = {
  id: "secret-files",
  severity: "warning",
  expects: "the image holds no private keys, .env files, credentials of tools or tokens",
  otherwise: "nothing, but all who can pull the image can read them",
  visitor(facts) {
    const installed = installedFiles(facts);
    const roots = ["var/task", "opt", "root", "home", "app", taskRoot(facts)];
    // The system has its own certificates and keys in /etc and /usr.
    const isOwn = oncePerDirectory(
      ({ path }) => !isInstalledPath(`${path}/`) && roots.some((root) => `${path}/`.startsWith(`${root}/`)),
    );
    return listingVisitor(
      (file) => {
        const what = file.kind === "file" && isOwn(file) ? secretOf(file, facts) : undefined;
        return what === undefined || installed.has(file.path) ? undefined : `/${file.path} (${what})`;
      },
      (found, first) => ({
        message: `${quantity(found.count, "file")} that should not be in an image: ${shortList(found.names, found.count)}`,
        path: first.replace(/ \([^(]*$/, ""),
        hint: "remove them in the layer that brings them (a later layer does not remove them), and replace the keys",
      }),
    );
  },
};

function installedFiles({ files: { view, contents } }: ImageFacts): ReadonlySet<string> {
  const installed = new Set<string>();
  for (const [path, text] of contents.records()) {
    if (!view.get(path)) continue;
    const site = path.slice(0, path.lastIndexOf("/", path.lastIndexOf("/") - 1) + 1);
    for (const line of text.split("\n")) installed.add(site + (line.split(",", 1)[0] ?? ""));
  }
  return installed;
}

function secretOf({ path, name, directory, size }: VisitedFile, { files, allowedSecrets }: ImageFacts) {
  const inside = directory.inside === undefined ? path : directory.inside + name;
  if (allowedSecrets?.includes(inside)) return undefined;
  if (isPrivate(inside) && name !== ".DS_Store") return "credentials or history";
  return files.contents.secrets.get(path) ?? fileSecret(path, size, files.contents.texts.get(path));
}

/** macOS and Windows do not keep such names apart, so that one of the files is lost there. */
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
        message: `${quantity(found.count, "name")} that ${found.count === 1 ? "differs" : "differ"} only in case or accents: ${shortList(
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
