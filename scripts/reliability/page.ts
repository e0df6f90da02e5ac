import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import type { Budget } from "./budget.ts";

const directory = new URL("../../dist/reliability/", import.meta.url);

/** Writes a part of the results to `dist/reliability/<part>.md`. */
export function writePart(part: string, text: string): void {
  mkdirSync(directory, { recursive: true });
  const file = new URL(`${part}.md`, directory);
  writeFileSync(file, `# ${part}\n\n${text.trim()}\n`);
  process.stdout.write(`${fileURLToPath(file)}\n`);
}

/** Formats a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Describes when and on which machine a part ran, and how much of it was played. */
export function circumstances(budget: Pick<Budget, "summary">): string {
  return `${machine()} ${budget.summary()}`;
}

/** Describes the day, the machine and its load. */
export function machine(): string {
  const load = loadavg()
    .map((each) => each.toFixed(1))
    .join(" ");
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${load} at the end of it.`;
}

export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
