import { existsSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { readStart } from "../../blobs/regular-file.ts";

const DIGEST = "sha256:[0-9a-f]{64}";

/** The beginnings of files that this program writes. */
const BEGINNINGS: readonly { readonly name: RegExp; readonly text: RegExp }[] = [
  { name: /\.html?$/i, text: /^<!doctype html>\n.*<title>[^<]* · lambda-pack<\/title>/s },
  // The JSON of build and push, of check, of inspect and of diff.
  { name: /\.json$/i, text: new RegExp(`^\\{"digest":"${DIGEST}","reference":"`) },
  {
    name: /\.json$/i,
    text: /^\{"source":"[^"]*",(?:"digest":"[^"]*",)?"platform":"[^"]*","ok":(?:true|false),/,
  },
  {
    name: /\.json$/i,
    text: new RegExp(`^(?:\\{"before":)?\\{"reference":"[^"]*","digest":"${DIGEST}","mediaType":"`),
  },
  // A tar begins with the name of its first file, whose content begins at byte 512.
  { name: /\.tar$/i, text: /^oci-layout\0/ },
  { name: /\.tar$/i, text: /^manifest\.json\0.{498}\[\{"Config":"/s },
];

/** In bytes: longer than the head of a page with a long reference. */
const START = 2048;

/** Sizes of the file of `--iidfile`, without and with an end of line. */
const IIDFILE_BYTES: ReadonlySet<number> = new Set([71, 72]);

/** Results are written beside the app or into a directory of it, not deeper. */
const DEEPEST = 2;

/**
 * Returns whether a file or directory of the source directory is output of an earlier run: an OCI
 * layout, a cache, an archive of an image, a report, or the file of `--metadata-file` or
 * `--iidfile`.
 */
export function isEarlierOutput(root: string, path: string): boolean {
  if (path.split("/", DEEPEST + 1).length > DEEPEST) return false;
  const source = join(root, path);
  const stats = lstatSync(source, { throwIfNoEntry: false });
  const hasBoth = (a: string, b: string) => existsSync(join(source, a)) && existsSync(join(source, b));
  if (stats?.isDirectory()) return hasBoth("oci-layout", "index.json") || hasBoth("CACHEDIR.TAG", "blobs");
  if (!stats?.isFile()) return false;
  if (IIDFILE_BYTES.has(stats.size)) return new RegExp(`^${DIGEST}\n?$`).test(textOf(source));
  const fitting = BEGINNINGS.filter(({ name }) => name.test(path));
  if (fitting.length === 0) return false;
  const start = textOf(source);
  return fitting.some(({ text }) => text.test(start));
}

function textOf(path: string): string {
  return readStart(path, START).toString();
}
