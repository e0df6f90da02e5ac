import type { Difference, FileChange, LayerChange, LayerDifference } from "../../index.ts";
import type { Mark } from "../report/lines.ts";
import { clean, formatBytes, plural, shortDigest } from "../text/format.ts";
import { cut, wrap } from "../text/wrap.ts";
import { cutPath } from "./rows.ts";

const MAX_FILES = 40;
const MAX_PATHS = 3;

/**
 * Formats the result of `diff`: no line is wider than `columns`, and control characters are
 * escaped.
 */
export function differenceText(difference: Difference, columns: number, mark: Mark): string {
  const { before, after, same, base } = difference;
  if (same) return `${cut(`no difference: both are ${after.digest}`, columns)}\n`;
  const grown = after.size - before.size;
  const blocks = [
    [
      cut(`- ${clean(before.reference)}  ${shortDigest(before.digest)}`, columns),
      cut(`+ ${clean(after.reference)}  ${shortDigest(after.digest)}`, columns),
      cut(`  ${formatBytes(after.size)} stored, ${signed(grown)}`, columns),
    ],
    base
      ? [
          mark("base"),
          cut(`  - ${shortDigest(base.before)}`, columns),
          cut(`  + ${shortDigest(base.after)}`, columns),
        ]
      : [],
    configLines(difference, columns, mark),
    layerBlock(difference, columns, mark),
    fileLines(difference, columns, mark),
  ];
  const texts = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}

function configLines({ config }: Difference, columns: number, mark: Mark): readonly string[] {
  if (config.length === 0) return [];
  return [
    mark("config"),
    ...config.flatMap(({ field, before, after }) => [
      ...(before === undefined ? [] : folded("-", `${clean(field)} ${shown(before)}`, columns)),
      ...(after === undefined ? [] : folded("+", `${clean(field)} ${shown(after)}`, columns)),
    ]),
  ];
}

/** Wraps a value instead of cutting it: two long values may differ only at their ends. */
function folded(sign: string, text: string, columns: number): readonly string[] {
  return wrap(text, columns - 4).map((line, index) => (index === 0 ? `  ${sign} ${line}` : `    ${line}`));
}

function shown(value: unknown): string {
  return clean(typeof value === "string" ? value : JSON.stringify(value));
}

function layerBlock({ layers }: Difference, columns: number, mark: Mark): readonly string[] {
  const kept = layers.filter(({ change }) => change === "kept").length;
  return [
    mark(cut(`layers: ${kept} the same, ${layers.length - kept} different`, columns)),
    ...layers.filter(({ change }) => change !== "kept").flatMap((layer) => layerLines(layer, columns)),
  ];
}

function layerLines(layer: LayerChange, columns: number): readonly string[] {
  const { index, createdBy = "", size } = layer.change === "removed" ? layer.before : layer.after;
  const line = `  ${SIGNS[layer.change]} ${index + 1}  ${layer.change}  ${formatBytes(size)}  ${clean(createdBy)}`;
  const why = layer.change === "changed" && layer.why ? whyLines(layer.why) : [];
  return [
    cut(line.trimEnd(), columns),
    ...(layer.change === "recompressed"
      ? ["the same files, compressed by another encoder or at another level"]
      : why
    ).flatMap((text) => wrap(text, columns - 6).map((line) => `      ${line}`)),
  ];
}

const SIGNS = { kept: " ", recompressed: "~", changed: "~", added: "+", removed: "-" } as const;

/** Returns one sentence for each reason, the most important first. */
function whyLines({ before, after, added, removed, changed, reordered }: LayerDifference): readonly string[] {
  const reason = (what: string, { count, paths }: LayerDifference["added"]) =>
    count === 0 ? [] : [`${what}: ${all(count, after)}${named(paths, count)}`];
  const reasons = [
    ...reason("added", added),
    ...reason("removed", removed),
    ...reason("other content", changed.content),
    ...reason("other kind", changed.kind),
    ...reason("other link", changed.link),
    ...reason("other mode", changed.mode),
    ...reason("other owner", changed.owner),
    ...reason("other time", changed.mtime),
    ...reason("other attributes", changed.attributes),
    ...(reordered ? ["the same entries in another order"] : []),
  ];
  if (reasons.length > 0) return reasons;
  return [
    `all ${plural(before, "entry").replace("entrys", "entries")} are the same: another packer wrote the headers`,
  ];
}

function all(count: number, entries: number): string {
  return count === entries && count > MAX_PATHS ? `all ${count} entries` : `${count}`;
}

function named(paths: readonly string[], count: number): string {
  if (count > MAX_PATHS * 10) return "";
  const shown = paths.slice(0, MAX_PATHS).map((path) => `/${clean(path)}`);
  return `: ${shown.join(", ")}${count > shown.length ? ` and ${count - shown.length} more` : ""}`;
}

function fileLines({ files }: Difference, columns: number, mark: Mark): readonly string[] {
  if (!files) return [];
  const { added, removed, changed, list } = files;
  const count = added.count + removed.count + changed.count;
  if (count === 0) return [mark("files: no difference")];
  const title = `files: ${added.count} added, ${removed.count} removed, ${changed.count} changed`;
  return [
    mark(cut(title, columns)),
    ...list.slice(0, MAX_FILES).map((change) => fileLine(change, columns)),
    ...(count > MAX_FILES ? [cut(`  and ${count - MAX_FILES} more: --json has them`, columns)] : []),
  ];
}

function fileLine(file: FileChange, columns: number): string {
  const { kind } = file.change === "removed" ? file.before : file.after;
  const description = describeChange(file);
  const start = file.change === "added" ? "  + " : file.change === "removed" ? "  - " : "  ~ ";
  const path = `/${clean(file.path)}${kind === "directory" ? "/" : ""}`;
  const room = columns - start.length - description.length - 2;
  return cut(`${start}${cutPath(path, Math.max(room, 8))}  ${description}`.trimEnd(), columns);
}

function describeChange(file: FileChange): string {
  if (file.change === "added")
    return file.after.kind === "file" ? formatBytes(file.after.size) : file.after.kind;
  if (file.change === "removed")
    return file.before.kind === "file" ? formatBytes(file.before.size) : file.before.kind;
  const { what, before, after } = file;
  return what
    .map((aspect) => {
      if (aspect === "content") return `content ${signed(after.size - before.size)}`;
      if (aspect === "mode") return `mode ${octal(before.mode)} -> ${octal(after.mode)}`;
      return aspect === "kind" ? `${before.kind} -> ${after.kind}` : "link";
    })
    .join(", ");
}

function signed(bytes: number): string {
  return `${bytes < 0 ? "-" : "+"}${formatBytes(Math.abs(bytes))}`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
