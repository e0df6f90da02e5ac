import type { Cost } from "./measure.ts";

/** All runs of one contender. */
export interface Runs {
  readonly name: string;
  readonly costs: readonly Cost[];
}

type Measure = keyof Cost;

function sorted({ costs }: Runs, measure: Measure): readonly number[] {
  return costs.map((cost) => cost[measure]).sort((a, b) => a - b);
}

function median(runs: Runs, measure: Measure): number {
  const values = sorted(runs, measure);
  const [low = 0, high = 0] = [
    values[Math.ceil(values.length / 2) - 1],
    values[Math.floor(values.length / 2)],
  ];
  return (low + high) / 2;
}

function range(runs: Runs, measure: Measure): string {
  const values = sorted(runs, measure);
  return `${(values[0] ?? 0).toFixed(2)}-${(values.at(-1) ?? 0).toFixed(2)}`;
}

/**
 * Formats Markdown: medians, the range of the wall times, and in brackets the ratio of the first
 * contender's value to each.
 */
export function table(all: readonly [Runs, ...Runs[]]): string {
  const [first] = all;
  const row = (runs: Runs) => {
    const ratio = (measure: Measure) => (median(first, measure) / median(runs, measure)).toFixed(2);
    const cell = (measure: Measure, unit: number, digits: number) =>
      `${(median(runs, measure) / unit).toFixed(digits)} (${ratio(measure)})`;
    const wall = `${median(runs, "wall").toFixed(2)} [${range(runs, "wall")}] (**${ratio("wall")}**)`;
    return `| ${runs.name} | ${wall} | ${cell("cpu", 1, 2)} | ${cell("peak", 1e6, 0)} | ${cell("bytes", 1e6, 2)} |`;
  };
  const head = ["| | wall s | CPU s | peak MB | output MB |", "|---|---|---|---|---|"];
  return [...head, ...all.map(row)].join("\n");
}
