import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FORBID = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"';

/** Runs this Node from the repository's root, where the system refuses every further user namespace. */
export function withoutNamespaces(
  args: readonly string[],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  return promisify(execFile)("unshare", ["-Ur", "sh", "-c", FORBID, "sh", process.execPath, ...args], {
    cwd,
  });
}
