import type { AliasStatus, ImageStatus, StatusResult } from "../../index.ts";
import { clean, formatBytes, shortDigest } from "../text/format.ts";
import { wrap } from "../text/wrap.ts";

const MAX_VERSIONS = 5;
const LABEL_COLUMNS = 10;
/** The minimum width for wrapped text; a narrower column would be unreadable. */
const TEXT_COLUMNS = 30;

/** Formats the result of `status`. */
export function statusText(result: StatusResult, columns: number): string {
  const { packageType, architecture, memory, timeout } = result;
  const rows: (readonly [label: string, text: string])[] = [
    ["function", `${result.function}  ${result.region}`],
    ["state", result.state],
    ...whyRows(result, Math.max(TEXT_COLUMNS, columns - LABEL_COLUMNS)),
    ["arn", result.arn],
    [
      "runs on",
      `${architecture}, ${memory} MB, ${timeout} s${packageType === "Image" ? "" : `, ${packageType}`}`,
    ],
    ...(result.image ? imageRows(result.image) : []),
    ...result.aliases.map((alias) => ["alias", aliasText(alias)] as const),
    ...result.versions
      .slice(0, MAX_VERSIONS)
      .map(
        ({ version, digest, state }) =>
          ["version", `${version}  ${digest ? shortDigest(digest) : ""}  ${state}`] as const,
      ),
  ];
  const more = result.versions.length - MAX_VERSIONS;
  if (more > 0) rows.push(["", `and ${more} older`]);
  return rows
    .map(([label, text]) => `${label.padEnd(LABEL_COLUMNS)}${clean(text)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

/** Returns the rows for the explanation, which is the only text that is wrapped. */
function whyRows({ explanation }: StatusResult, columns: number) {
  if (explanation === undefined) return [];
  return wrap(clean(explanation), columns).map((line, index) => [index === 0 ? "why" : "", line] as const);
}

function imageRows({ reference, exists, tags, size, pullable }: ImageStatus) {
  const there =
    exists === undefined
      ? "not known whether it is still there"
      : exists
        ? `${formatBytes(size ?? 0)}${tags.length > 0 ? `, tagged ${tags.join(", ")}` : ", without a tag"}`
        : "is not in the repository any more: push the same image again, or deploy another";
  const pull =
    pullable === undefined
      ? "not known: the repository's policy may not be read"
      : pullable
        ? "the repository's policy lets Lambda pull"
        : `the repository's policy does not let Lambda pull: lambda-pack repo policy ${reference.replace(/@.*/, "")} --apply`;
  return [["image", reference] as const, ["", there] as const, ["pull", pull] as const];
}

function aliasText({ name, version, digest, weights }: AliasStatus): string {
  const others = Object.entries(weights).map(
    ([other, part]) => `, ${Math.round(part * 1000) / 10} % to ${other}`,
  );
  return `${name} -> ${version}${others.join("")}${digest ? `  ${shortDigest(digest)}` : ""}`;
}
