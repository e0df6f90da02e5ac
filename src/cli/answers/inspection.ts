import type { InspectedContents, InspectedLayer, Inspection, LayerContents } from "../../index.ts";
import type { Mark } from "../report/lines.ts";
import { clean, formatBytes, plural, shortDigest } from "../text/format.ts";
import { cut, widthOf, wrap } from "../text/wrap.ts";
import { cutPath, pad, percent, table } from "./rows.ts";

const LABELS = 12;
/** In a narrower terminal, the bytes that each layer hides and wastes are on a line below it. */
const WIDE_FROM = 60;
const LARGEST = 10;
const WORST = 5;

/**
 * Formats the result of `inspect`: no line is wider than `columns`, and control characters are
 * escaped.
 */
export function inspectionText(inspection: Inspection, columns: number, mark: Mark): string {
  const { contents, layers } = inspection;
  const blocks = [
    facts(inspection, columns),
    settings(inspection, columns),
    [mark(cut(`${plural(layers.length, "layer")}, the base first`, columns)), ...layerLines(layers, columns)],
    ...(contents ? contentBlocks(contents, columns, mark) : []),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function facts({ reference, digest, platform, created, size, contents }: Inspection, columns: number) {
  const unpacked = contents && `${formatBytes(contents.bytes)} unpacked`;
  return rows(
    [
      ["image", reference],
      ["digest", digest.length + LABELS <= columns ? digest : shortDigest(digest)],
      ["platform", platform],
      ["created", created ?? ""],
      ["size", [`${formatBytes(size)} stored`, unpacked].filter(Boolean).join(", ")],
      ["limit", contents ? `${percent(contents.bytes, contents.limit)} of Lambda's 10 GB, unpacked` : ""],
    ],
    columns,
  );
}

function settings({ config }: Inspection, columns: number): readonly string[] {
  const { entrypoint, cmd, workdir, user, env, labels } = config;
  return rows(
    [
      ["entrypoint", words(entrypoint)],
      ["cmd", words(cmd)],
      ["workdir", workdir],
      ["user", user],
      ...several("env", env),
      ...several(
        "labels",
        Object.entries(labels).map(([name, value]) => `${name}=${value}`),
      ),
    ],
    columns,
  );
}

type Row = readonly [label: string, text: string];

function several(label: string, texts: readonly string[]): readonly Row[] {
  return texts.map((text, index) => [index === 0 ? label : "", text]);
}

/** Joins words, and quotes those with characters that a shell would interpret. */
function words(list: readonly string[]): string {
  return list.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}

/** Formats the rows whose text is not empty. */
function rows(all: readonly Row[], columns: number): readonly string[] {
  return all
    .filter(([, text]) => text !== "")
    .flatMap(([label, text]) =>
      wrap(clean(text), Math.max(columns - LABELS, 1)).map((line, index) =>
        cut(`${pad(index === 0 ? label : "", LABELS)}${line}`, columns),
      ),
    );
}

function layerLines(layers: readonly InspectedLayer[], columns: number): readonly string[] {
  const wide = columns >= WIDE_FROM;
  const read = layers.some(({ contents }) => contents);
  const titles = [
    { title: "#", right: true },
    { title: "stored", right: true },
    ...(read ? ["unpacked", "files"] : []).map((title) => ({ title, right: true })),
    ...(read && wide ? ["hides", "wastes"] : []).map((title) => ({ title, right: true })),
    { title: "digest" },
  ];
  const cells = layers.map(({ size, contents, digest, part }, index) => [
    String(index + 1),
    formatBytes(size),
    ...(contents ? [formatBytes(contents.bytes), String(contents.files)] : []),
    ...(contents && wide ? [bytesOf(contents.hides.bytes), bytesOf(contents.hidden.bytes)] : []),
    [shortDigest(digest), part].filter(Boolean).join("  "),
  ]);
  const [head = "", ...lines] = table(titles, cells, columns);
  return [
    head,
    ...lines.flatMap((line, index) => [
      line,
      ...under(layers[index], wide, columns - 5).map((text) => `     ${text}`),
    ]),
  ];
}

function under(layer: InspectedLayer | undefined, wide: boolean, room: number): readonly string[] {
  const { createdBy, contents } = layer ?? {};
  return [
    ...(createdBy ? [cut(clean(createdBy).trim(), room)] : []),
    ...(contents && !wide ? inVain(contents).map((text) => cut(text, room)) : []),
    ...(contents?.broken === undefined ? [] : wrap(`broken: ${clean(contents.broken)}`, room)),
  ];
}

function inVain({ hides, hidden }: LayerContents): readonly string[] {
  return [
    hides.files > 0 ? `hides ${plural(hides.files, "file")}, ${formatBytes(hides.bytes)}` : "",
    hidden.files > 0 ? `wastes ${plural(hidden.files, "file")}, ${formatBytes(hidden.bytes)}` : "",
  ].filter((text) => text !== "");
}

function bytesOf(bytes: number): string {
  return bytes === 0 ? "-" : formatBytes(bytes);
}

function contentBlocks({ files, seen, waste }: InspectedContents, columns: number, mark: Mark) {
  const largest = files
    .slice(0, LARGEST)
    .map(({ size, layer, path }) => sized(size, `#${layer + 1}`, path, columns));
  return [
    [mark(cut(`largest of ${plural(seen.files, "file")}, ${formatBytes(seen.bytes)}`, columns)), ...largest],
    wasteLines(waste, columns, mark),
  ];
}

function wasteLines(
  { hidden, hiddenTotal, duplicates, duplicatesTotal, caches }: InspectedContents["waste"],
  columns: number,
  mark: Mark,
) {
  const cacheBytes = caches.reduce((sum, { bytes }) => sum + bytes, 0);
  const group = (title: string, lines: readonly string[]) =>
    lines.length > 0 ? [mark(cut(title, columns)), ...lines] : [];
  return [
    ...group(
      `hidden by higher layers: ${plural(hiddenTotal.files, "file")}, ${formatBytes(hiddenTotal.bytes)}`,
      hidden
        .slice(0, WORST)
        .map(({ size, layer, by, path }) => sized(size, `#${layer + 1}<${by + 1}`, path, columns)),
    ),
    ...group(
      `the same content again: ${formatBytes(duplicatesTotal.bytes)}`,
      duplicates
        .slice(0, WORST)
        .map(({ size, copies, paths }) => sized(size, `x${copies}`, paths[0] ?? "", columns)),
    ),
    ...group(
      `caches and the like: ${formatBytes(cacheBytes)}`,
      caches.slice(0, WORST).map(({ bytes, path, what }) => sized(bytes, "", path, columns, what)),
    ),
  ];
}

/**
 * Formats a row. The path is cut at its start, and `after` is left out where there is no room for
 * it.
 */
function sized(size: number, note: string, path: string, columns: number, after = ""): string {
  const start = `  ${pad(formatBytes(size), 6, true)}  ${note === "" ? "" : `${pad(note, 4)}  `}`;
  const room = columns - widthOf(start) - 1;
  const end = after !== "" && room - widthOf(after) - 2 >= 16 ? `  ${after}` : "";
  return cut(`${start}/${cutPath(clean(path), room - widthOf(end))}${end}`, columns);
}
