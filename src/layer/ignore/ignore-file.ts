import { isUtf8 } from "node:buffer";
import { lstatSync, readlinkSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readConfigurationFile } from "../../blobs/regular-file.ts";
import { LambdaPackError } from "../../errors.ts";
import { toPosixPath } from "../../oci/explicit-registry.ts";
import { type IgnoreLine, parseIgnoreFile } from "./ignore.ts";
import { IGNORE_FILES } from "./never.ts";

interface IgnoreFile {
  /** Absolute; undefined if there is no ignore file. */
  readonly path?: string;
  readonly lines: readonly IgnoreLine[];
}

/**
 * Reads the named file, which must exist; else the first of `.lambdaignore`, `.containerignore` and
 * `.dockerignore` in the source directory.
 * @throws FILE_UNREADABLE, also for a file that is not UTF-8 text.
 */
export function readIgnoreFile(root: string, named: string | undefined): IgnoreFile {
  const candidates = named === undefined ? IGNORE_FILES.map((name) => join(root, name)) : [resolve(named)];
  for (const path of candidates) {
    const text = read(path, named);
    if (text !== undefined) return { path, lines: parseIgnoreFile(text, named ?? basename(path)) };
  }
  return { lines: [] };
}

/** In bytes; no file that a person wrote is longer. */
const MAX_BYTES = 4 * 1024 * 1024;

function read(path: string, named: string | undefined): string | undefined {
  const hint = "make it a readable regular file, or name another one with --ignore-file";
  const bytes = readConfigurationFile(path, { maxBytes: MAX_BYTES, code: "FILE_UNREADABLE", hint });
  if (bytes !== undefined && !isText(bytes))
    throw new LambdaPackError("FILE_UNREADABLE", `${path} is not UTF-8 text`, {
      hint: `save it as UTF-8, for example: iconv -f UTF-16 -t UTF-8 ${path} > ${path}.new`,
    });
  if (bytes === undefined && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
    throw new LambdaPackError(
      "FILE_UNREADABLE",
      `${path} is a link to ${readlinkSync(path)}, which does not exist`,
      {
        hint: `correct the link, or remove it: rm ${path}`,
      },
    );
  if (bytes !== undefined || named === undefined) return bytes?.toString("utf8");
  const slashed = toPosixPath(named);
  throw new LambdaPackError("FILE_UNREADABLE", `cannot read ${path}: there is no such file`, {
    hint: slashed === undefined ? "correct the path after --ignore-file" : `write ${slashed}`,
  });
}

/** Excludes UTF-16, which Windows PowerShell writes by default and which contains zeros. */
function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}
