import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { hasCode, LambdaPackError, misuse } from "../errors.ts";
import { nearest } from "../lambda/nearest.ts";
import { type ImageLocation, parseSource, pathKind } from "./image-location.ts";
import type { Environment } from "./session.ts";

/**
 * Parses the name of an image as {@link parseSource}, for a command that takes no directory.
 * @param forDirectory returns what to do with a directory that holds no image
 * @throws USAGE for the path of a file or directory, which is hardly meant as an image of Docker
 * Hub; REFERENCE_INVALID
 */
export function parseImageSource(
  source: string,
  environment: Environment,
  forDirectory: (directory: string) => string,
): ImageLocation {
  refusePath(source, forDirectory);
  return parseSource(source, environment);
}

/** Refuses the path of a file, and of a directory with `forDirectory`. @throws USAGE */
export function refusePath(source: string, forDirectory?: (directory: string) => string): void {
  const kind = pathKind(source);
  if (kind === "file")
    throw misuse(
      `${source} is a file, and its format is not given`,
      `write oci-archive:${source} or docker-archive:${source}`,
    );
  if (kind === undefined || forDirectory === undefined) return;
  if (existsSync(join(source, "oci-layout")))
    throw misuse(`${source} is a directory, and its format is not given`, `write oci:${source}`);
  throw misuse(`${source} is a directory, and it holds no image`, forDirectory(source));
}

/**
 * Runs `parse` for a source that is not a directory, and adds to its error that there is no such
 * directory, for a command that takes one. A word with a colon is hardly meant as a path.
 * @throws DIRECTORY_UNREADABLE if there is a directory with a similar name, and what `parse` throws
 */
export function withoutDirectory<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!hasCode(cause, "REFERENCE_INVALID") || !(cause instanceof LambdaPackError)) throw cause;
    if (source.includes(":")) throw cause;
    const near = directoryLike(source);
    const missing = `there is no directory ${source}`;
    if (near !== undefined)
      throw new LambdaPackError("DIRECTORY_UNREADABLE", missing, {
        hint: `did you mean ${near}? An image is named with its registry, or as oci:DIR`,
        cause,
      });
    throw new LambdaPackError(cause.code, `${missing}, and ${cause.message}`, { hint: cause.hint, cause });
  }
}

/** Returns the directory whose name is like that of the missing path; undefined: there is none. */
export function directoryLike(path: string): string | undefined {
  const parent = dirname(path);
  try {
    const entries = readdirSync(parent, { withFileTypes: true });
    const names = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    const [near] = nearest(basename(path), names, 1);
    return near === undefined ? undefined : join(parent, near);
  } catch {
    return undefined;
  }
}

/** The advice about a directory for a command that only reads images. */
export function buildFirst(directory: string): string {
  return `build its image first with lambda-pack build ${directory}, and name that`;
}
