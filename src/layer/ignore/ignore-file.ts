import { basename, join, resolve } from "node:path";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { LambdaPackError } from "../../errors.ts";
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

/** Bytes; one line for each of a million files would be more, and nothing written by hand is. */
const MAX_BYTES = 4 * 1024 * 1024;

function read(path: string, required: boolean): string | undefined {
  const hint = "make it a readable regular file, or name another one with --ignore-file";
  const bytes = readConfigurationFile(path, { maxBytes: MAX_BYTES, code: "FILE_UNREADABLE", hint });
  if (bytes !== undefined || !required) return bytes?.toString("utf8");
  throw new LambdaPackError("FILE_UNREADABLE", `cannot read ${path}: there is no such file`, { hint });
}
