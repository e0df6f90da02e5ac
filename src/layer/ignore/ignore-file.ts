import { readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { hasCode } from "../../errors.ts";
import { unreadable } from "../encode/source.ts";
import { type IgnoreLine, parseIgnoreFile } from "./ignore.ts";
import { IGNORE_FILES } from "./never.ts";

export interface IgnoreFile {
  /** Absolute; undefined where there is none. */
  readonly path?: string;
  readonly lines: readonly IgnoreLine[];
}

/**
 * The named file, which must exist; else the first of `.lambdaignore` and `.dockerignore` in the source folder.
 * @throws FILE_UNREADABLE.
 */
export function readIgnoreFile(root: string, named: string | undefined): IgnoreFile {
  const candidates = named === undefined ? IGNORE_FILES.map((name) => join(root, name)) : [resolve(named)];
  for (const path of candidates) {
    const text = read(path, named !== undefined);
    if (text !== undefined) return { path, lines: parseIgnoreFile(text, named ?? basename(path)) };
  }
  return { lines: [] };
}

function read(path: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!required && hasCode(error, "ENOENT")) return undefined;
    throw unreadable(path, error);
  }
}
