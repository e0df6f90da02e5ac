import type { ViewEntry } from "../../../rootfs/view/merged-view.ts";
import { count, type Rule, some } from "../../rule.ts";
import { listingVisitor } from "../../visit.ts";

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
        message: `${count(closed.count, "file")} or directories that only their owner may read: ${some(closed.names, closed.count)}`,
        path: first,
        hint: "chmod -R a+rX before the image is built; lambda-pack build always does so",
      }),
    ),
};

function isClosed({ kind, mode }: ViewEntry): boolean {
  return kind === "directory" ? (mode & 0o005) !== 0o005 : kind === "file" && (mode & 0o004) === 0;
}
