import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./try-app.ts";

const PAGE = fileURLToPath(new URL("../../docs/tested-with.md", import.meta.url));
const MAX_ANSWER = 120;

const HEAD = `# Real apps that were built, checked and run

<!-- Written by scripts/real-apps.sh; do not edit. -->

Each app was installed with its own tools, built and pushed to Debian's \`docker-registry\`, checked there with
\`check --deep\`, and invoked from there in the sandbox of \`invoke\`. The base images imitate AWS's, with Debian's C
library, Python and Java, npm's builds of Node, and small runtime clients (scripts/base-images.sh, testdata/runtimes),
because AWS's own images could not be downloaded here. Sizes are those of the app's compressed layers; an app without a
size was not built. \`scripts/real-apps.sh NAME\` runs one app and replaces its line.

| app | tested on | versions | base | size | check | answer |
| --- | --- | --- | --- | --- | --- | --- |
`;

/** Replaces the lines of the apps that were tried, and keeps the others. */
export function writePage(outcomes: readonly Outcome[], names: readonly string[], on: Date): void {
  const rows = new Map<string, string>();
  const old = existsSync(PAGE) ? readFileSync(PAGE, "utf8").split("\n") : [];
  for (const name of names) {
    const row = old.find((line) => line.startsWith(`| ${name} |`));
    if (row !== undefined) rows.set(name, row);
  }
  for (const outcome of outcomes) rows.set(outcome.name, rowOf(outcome, on));
  const lines = names.flatMap((name) => rows.get(name) ?? []);
  writeFileSync(PAGE, `${HEAD}${lines.join("\n")}\n`);
}

/** Formats an outcome as one line for the terminal. */
export function describeOutcome(outcome: Outcome): string {
  const { name, versions, digest, size, check, answer } = outcome;
  return [name, versions, digest, size, check, oneLine(answer)].filter((part) => part !== "").join(" · ");
}

function rowOf({ name, versions, base, digest, size, check, answer }: Outcome, on: Date): string {
  const machine = `${cpus()[0]?.model ?? process.arch}, Linux ${release()}, Node ${process.versions.node}`;
  const day = `${on.toISOString().slice(0, 10)}, ${machine}`;
  const image = digest === "" ? "" : `${size}, \`${digest}\``;
  const cells = [name, day, versions, base, image, check, code(oneLine(answer))];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** Formats the app's own answer as code, and the reason for a failure as text. */
function code(answer: string): string {
  return /^(not tried|failed): /.test(answer) ? answer : `\`${answer.replaceAll("`", "'")}\``;
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > MAX_ANSWER ? `${line.slice(0, MAX_ANSWER)}...` : line;
}
