import { clean, formatBytes } from "../src/cli/text/format.ts";
import type { BuildEvent, BuildResult, LayerReport } from "../src/index.ts";

/** What is known at the end of a step. */
export interface Outcome {
  /** The image, where the step was about one and it was built. */
  readonly result: BuildResult | undefined;
  readonly events: readonly BuildEvent[];
  /** What ended the build, in one sentence. */
  readonly failure: string | undefined;
}

/** A runner drops a summary of more than 1 MiB as a whole. */
const ROWS_AT_MOST = 200;
const CHARACTERS_AT_MOST = 1000;

/** The summary of the job, in Markdown: the image with its layers, and what the checks found. */
export function summaryOf({ result, events, failure }: Outcome): string {
  const blocks = [
    failure === undefined ? "" : `## lambda-pack: the build failed\n\n${escaped(failure)}`,
    result === undefined ? "" : imageBlock(result),
    functionsBlock(events),
    findingsBlock(events),
  ];
  return blocks
    .filter((block) => block !== "")
    .map((block) => `${block}\n\n`)
    .join("");
}

function imageBlock({ reference, platform, base, layers, stats }: BuildResult): string {
  const rows = layers.slice(0, ROWS_AT_MOST).map(layerRow);
  return [
    `## ${escaped(reference)}`,
    `${escaped(platform)}, on ${escaped(base.reference)}, ${formatBytes(stats.sent)} sent`,
    ["| layer | how | files | size | digest |", "| --- | --- | ---: | ---: | --- |", ...rows].join("\n"),
  ].join("\n\n");
}

function layerRow({ name, how, files, size, digest }: LayerReport): string {
  const count = how === "base" ? "" : String(files);
  return `| ${escaped(name)} | ${how} | ${count} | ${formatBytes(size)} | \`${digest}\` |`;
}

function functionsBlock(events: readonly BuildEvent[]): string {
  const items = events.flatMap((event) =>
    event.type === "function-ready" ? [`- ${escaped(event.name)}: ${escaped(event.reference)}`] : [],
  );
  return section("Functions", items);
}

function findingsBlock(events: readonly BuildEvent[]): string {
  const items = events.flatMap((event) =>
    event.type === "warning" ? [`- ${escaped(event.message)}${fixOf(event.hint)}`] : [],
  );
  return section("Findings", items);
}

function section(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const more = items.length > ROWS_AT_MOST ? [`- and ${items.length - ROWS_AT_MOST} more in the log`] : [];
  return [`### ${title}`, "", ...items.slice(0, ROWS_AT_MOST), ...more].join("\n");
}

function fixOf(hint: string | undefined): string {
  return hint === undefined ? "" : `<br>fix: ${escaped(hint)}`;
}

/** Text as it is, on one line: nothing in it is Markdown or HTML. */
function escaped(text: string): string {
  const cut = text.length > CHARACTERS_AT_MOST ? `${text.slice(0, CHARACTERS_AT_MOST)}…` : text;
  return clean(cut).replace(/[!-/:-@[-`{-~]/g, "\\$&");
}
