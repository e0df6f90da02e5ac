import type { EntryKind } from "./read-header.ts";

/** Linux opens no longer path (PATH_MAX, limits.h). */
const MAX_LENGTH = 4095;
/** Nor does a file system of it hold a longer name (NAME_MAX, limits.h). */
const MAX_NAME = 255;

/** Of no more bytes than {@link MAX_NAME}, whatever its characters. */
const MAX_PLAIN = MAX_NAME / 3;
/** Nothing, `.` or `..` between two slashes. */
const NOT_PLAIN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The place in the image that a name in a tar means: '/'-separated, no slash at either end, "" for
 * the root. undefined where there is none: `..` may lead out of the root, or through a link, and
 * what is longer than 4095 bytes, or has a name of more than 255, no Linux can open.
 */
export function entryPath(name: string): string | undefined {
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  if (path.length <= MAX_PLAIN && !NOT_PLAIN.test(path)) return path;
  if (name.length > MAX_LENGTH || Buffer.byteLength(name) > MAX_LENGTH) return undefined;
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  return parts.some((part) => part === ".." || isTooLong(part)) ? undefined : parts.join("/");
}

/** Where a link at `path` leads within the image, of which the root is its own parent. */
export function linkTarget(path: string, target: string): string {
  const from = target.startsWith("/") ? [] : path.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "..") from.pop();
    else if (part !== "" && part !== ".") from.push(part);
  }
  return from.join("/");
}

function isTooLong(part: string): boolean {
  return part.length * 3 > MAX_NAME && Buffer.byteLength(part) > MAX_NAME;
}

interface Link {
  readonly kind: EntryKind;
  readonly path: string;
  readonly link: string;
}

/** Where a link leads within the image; undefined for what is no link. */
export function pointsTo({ kind, path, link }: Link): string | undefined {
  if (kind === "symlink") return linkTarget(path, link);
  return kind === "hardlink" ? linkTarget("", link) : undefined;
}
