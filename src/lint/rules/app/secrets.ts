import { fileSecret } from "../../../lambda/secrets/files.ts";
import { isPrivate } from "../../../layer/ignore/never.ts";
import { isInstalledPath } from "../../contents/file-names.ts";
import { type ImageFacts, taskRoot } from "../../facts.ts";
import { count, type Rule, some } from "../../rule.ts";
import { listingVisitor, oncePerDirectory, type VisitedFile } from "../../visit.ts";

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
        message: `${count(found.count, "file")} that should not be in an image: ${some(found.names, found.count)}`,
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
  return files.contents.secret(path) ?? fileSecret(path, size, files.contents.text(path));
}
