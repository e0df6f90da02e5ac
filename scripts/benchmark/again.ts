import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRegistry } from "../../test/support/components/registries.ts";
import { type Case, type Medians, prepareCases } from "./again-cases.ts";
import type { Cost } from "./measure.ts";

/**
 * Runs every case once in each round, in rotated order. Returns a Markdown table of medians, ranges
 * and limits.
 */
export async function again(rounds: number): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-again-"));
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    const cases = await prepareCases(directory, registry.host);
    const costs = new Map<Case, Cost[]>(cases.map((one) => [one, []]));
    for (let round = 0; round < rounds; round++) {
      const start = round % cases.length;
      for (const one of [...cases.slice(start), ...cases.slice(0, start)]) {
        const out = mkdtempSync(join(directory, "out-"));
        const cost = await one.run(round, out);
        costs.get(one)?.push(cost);
        for (const path of [out, `${out}.storage`, `${out}.run`])
          rmSync(path, { recursive: true, force: true });
        process.stderr.write(`round ${round + 1}: ${one.name} ${cost.wall.toFixed(3)} s\n`);
      }
    }
    return tableOf(costs);
  } finally {
    await registry.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function median(costs: readonly Cost[], measureOf: (cost: Cost) => number): number {
  const values = costs.map(measureOf).sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

const wall = (cost: Cost): number => cost.wall;

function mediansOf(costs: ReadonlyMap<Case, readonly Cost[]>): Medians {
  const of = (what: keyof Medians) => median([...costs].find(([{ is }]) => is === what)?.[1] ?? [], wall);
  return { node: of("node"), cold: of("cold"), umoci: of("umoci") };
}

function tableOf(costs: ReadonlyMap<Case, readonly Cost[]>): string {
  const medians = mediansOf(costs);
  return [
    "| | wall ms | - node | x umoci | x cold | CPU ms | peak MB | MB sent | at most, ms | |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...[...costs].map(([one, all]) => `| ${cellsOf(one, all, medians).join(" | ")} |`),
  ].join("\n");
}

function cellsOf({ name, limit }: Case, all: readonly Cost[], medians: Medians): readonly string[] {
  const time = median(all, wall);
  const range = all.map(wall).sort((a, b) => a - b);
  const [text, secondsOf] = limit ?? [];
  const most = secondsOf?.(medians);
  return [
    name,
    `${ms(time)} [${ms(range[0] ?? 0)}-${ms(range.at(-1) ?? 0)}]`,
    ms(time - medians.node),
    (time / medians.umoci).toFixed(2),
    (time / medians.cold).toFixed(2),
    ms(median(all, ({ cpu }) => cpu)),
    (median(all, ({ peak }) => peak) / 1e6).toFixed(0),
    (median(all, ({ bytes }) => bytes) / 1e6).toFixed(2),
    most === undefined ? "" : `${ms(most)} (${text})`,
    most === undefined ? "" : time <= most ? "met" : "not met",
  ];
}

function ms(seconds: number): string {
  return (seconds * 1000).toFixed(0);
}
