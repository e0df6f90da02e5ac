import { opendirSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { hasCode, LambdaPackError } from "../errors.ts";
import { slashedPath } from "../oci/windows-path.ts";

/**
 * The source directory's real path.
 * @throws DIRECTORY_UNREADABLE when it is missing, no directory, or may not be listed.
 */
export function openRoot(directory: string): string {
  try {
    const root = realpathSync(directory);
    opendirSync(root).closeSync();
    return root;
  } catch (error) {
    throw rootUnreadable(directory, error);
  }
}

function rootUnreadable(directory: string, cause: unknown): LambdaPackError {
  const slashed = hasCode(cause, "ENOENT") ? slashedPath(directory) : undefined;
  const why = hasCode(cause, "ENOENT")
    ? "does not exist"
    : hasCode(cause, "ENOTDIR")
      ? "is not a directory"
      : `cannot be read: ${cause instanceof Error ? cause.message.replace(/,.*$/s, "") : String(cause)}`;
  return new LambdaPackError("DIRECTORY_UNREADABLE", `the source directory ${directory} ${why}`, {
    hint: slashed === undefined ? "name the directory that holds the function's code" : `write ${slashed}`,
    cause,
  });
}

/** Gives where a path is through links; what does not exist yet is where its directory is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/**
 * '/'-separated path of `path` inside the real path `root`, or undefined where it is elsewhere or
 * `root` itself.
 */
export function pathWithin(root: string, path: string): string | undefined {
  const inside = relative(root, realPath(resolve(path)));
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || resolve(inside) === inside)
    return undefined;
  return inside.split(sep).join("/");
}

/**
 * `var/task` for `/var/task/`, the empty string for `/`.
 * @throws USAGE when it is not the absolute path of a directory in the image.
 */
export function parseTarget(target: string): string {
  const names = target.split("/").filter((name) => name !== "" && name !== ".");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (target.startsWith("/") && !names.includes("..") && !/[\u0000-\u001f\u007f]/.test(target))
    return names.join("/");
  throw new LambdaPackError("USAGE", `${JSON.stringify(target)} is not an absolute path in the image`, {
    hint: "for example --target /var/task",
  });
}
