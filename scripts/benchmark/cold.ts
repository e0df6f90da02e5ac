import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { CONTENDERS, type Contender } from "./contenders.ts";
import { halfRandom, manyFiles, pythonLike } from "./inputs.ts";
import { type Cost, measure } from "./measure.ts";
import { type Runs, table } from "./table.ts";

export const INPUTS = { "Python-like": pythonLike, "many small files": manyFiles, "half random": halfRandom };

/**
 * Builds these inputs without a cache, next to the other tools, and yields each table when it is
 * complete. `describe` describes an input and reads it into the page cache.
 */
export async function* cold(
  names: readonly (keyof typeof INPUTS)[],
  rounds: number,
  describe: (directory: string) => Promise<string>,
): AsyncGenerator<string> {
  for (const name of names) {
    const app = await INPUTS[name]();
    yield `## cold, ${name}\n${await describe(app)}`;
    const runs = await race(app, rounds);
    yield table(runs);
    yield await limit(runs[0]);
  }
}

/**
 * Runs each contender once in each round, in rotated order, so that a disturbance affects all of
 * them.
 */
async function race(app: string, rounds: number): Promise<readonly [Runs, ...Runs[]]> {
  const costs = new Map<Contender, Cost[]>(CONTENDERS.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    const start = round % CONTENDERS.length;
    for (const contender of [...CONTENDERS.slice(start), ...CONTENDERS.slice(0, start)]) {
      const cost = await inDirectory((out) => measure(contender.command(app, out), out));
      costs.get(contender)?.push(cost);
      process.stderr.write(`round ${round + 1}: ${contender.name} ${cost.wall.toFixed(2)} s\n`);
    }
  }
  const runsOf = (contender: Contender): Runs => ({
    name: contender.name,
    costs: costs.get(contender) ?? [],
  });
  const [first, ...others] = CONTENDERS;
  return [runsOf(first), ...others.map(runsOf)];
}

/** Returns the time that the same work would take if it used all cores once Node has started. */
export async function limit({ costs }: Runs): Promise<string> {
  const startNode = (out: string) => measure([process.execPath, "-e", "0"], out);
  const start = await medianOf(5, async () => (await inDirectory(startNode)).wall);
  const sorted = [...costs].sort((a, b) => a.wall - b.wall);
  const { wall = 0, cpu = 0 } = sorted[Math.floor(sorted.length / 2)] ?? {};
  const least = cpu / availableParallelism() + start;
  const [load = 0] = loadavg();
  return `the limit (CPU time over ${availableParallelism()} cores, and ${start.toFixed(3)} s for Node to start): ${least.toFixed(2)} s, of which ours is ${(wall / least).toFixed(2)}x; load at the end ${load.toFixed(1)}`;
}

async function medianOf(count: number, once: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let turn = 0; turn < count; turn++) values.push(await once());
  return values.sort((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
}

export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-bench-"));
  try {
    return await use(directory);
  } finally {
    for (const path of [directory, `${directory}.storage`, `${directory}.run`])
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}
