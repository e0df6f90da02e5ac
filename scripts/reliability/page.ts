import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

/** Puts what was measured between the marks of its part; everything else on the page is written by hand. */
export function writePart(part: string, text: string): void {
  const old = readFileSync(page, "utf8");
  const [begin, end] = [`<!-- ${part}: made by npm run reliability -->`, `<!-- end of ${part} -->`];
  const [from, to] = [old.indexOf(begin), old.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no part ${part}`);
  writeFileSync(page, `${old.slice(0, from)}${begin}\n${text.trim()}\n${old.slice(to)}`);
}

/** Markdown. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Where and when a number was measured. */
export function circumstances(): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  const load = loadavg()
    .map((each) => each.toFixed(1))
    .join(" ");
  return `${new Date().toISOString().slice(0, 10)}, ${machine}, load ${load} at the end of it.`;
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
