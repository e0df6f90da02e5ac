import { opendirSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { readStart } from "../blobs/regular-file.ts";
import { hasCode, LambdaPackError } from "../errors.ts";
import { toPosixPath } from "../oci/explicit-registry.ts";

/**
 * Returns the source directory's real path.
 * @throws DIRECTORY_UNREADABLE if it is missing, is not a directory, or cannot be listed.
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
  const slashed = hasCode(cause, "ENOENT") ? toPosixPath(directory) : undefined;
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

/** Returns a path without links; of one that does not exist yet, its directory is resolved. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}

/**
 * Returns `path` relative to the real path `root`, '/'-separated; undefined if it is `root` itself
 * or outside it.
 */
export function pathWithin(root: string, path: string): string | undefined {
  const inside = relative(root, realPath(resolve(path)));
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || resolve(inside) === inside)
    return undefined;
  return inside.split(sep).join("/");
}

/**
 * Returns `var/task` for `/var/task/`, the empty string for `/`.
 * @throws USAGE if it is not the absolute path of a directory in the image.
 */
export function parseTarget(target: string): string {
  const names = target.split("/").filter((name) => name !== "" && name !== ".");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (target.startsWith("/") && !names.includes("..") && !/[\u0000-\u001f\u007f]/.test(target))
    return names.join("/");
  throw new LambdaPackError("USAGE", `${JSON.stringify(target)} is not an absolute path in the image`, {
    hint: "give an absolute path, for example --target /var/task; a stage of a Dockerfile is named with --stage",
  });
}

/** Lists a directory; no names if it is none, or cannot be read. */
export function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/**
 * Returns the text of a regular file, at most its first `limit` bytes; the empty string if it is
 * none, or cannot be read.
 */
export function textOf(path: string, limit: number = 1024 * 1024): string {
  return readStart(path, limit).toString();
}
