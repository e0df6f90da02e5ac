import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startRegistry } from "../../test/support/registries.ts";
import { again } from "./again.ts";
import { CONTENDERS, type Contender, lambdaPack } from "./contenders.ts";
import { gigabyte, manyFiles, warm } from "./inputs.ts";
import { type Cost, measure } from "./measure.ts";
import { table } from "./table.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" } },
});
const rounds = Number.parseInt(values.rounds, 10);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lambda-pack-bench-"));
  const remove = (path: string) => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    return await use(folder);
  } finally {
    for (const path of [folder, `${folder}.storage`, `${folder}.run`]) remove(path);
  }
}

async function describeInput(app: string): Promise<void> {
  const { files, bytes } = await warm(app);
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  print(
    `${files} files, ${(bytes / 1e6).toFixed(0)} MB, in the page cache; ${machine}; medians of ${rounds} rounds`,
  );
}

/** Everybody once a round, and another first each time, so that what disturbs the machine disturbs all alike. */
async function cold(): Promise<void> {
  const app = await manyFiles();
  await describeInput(app);
  const costs = new Map<Contender, Cost[]>(CONTENDERS.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round++) {
    const start = round % CONTENDERS.length;
    for (const contender of [...CONTENDERS.slice(start), ...CONTENDERS.slice(0, start)]) {
      const cost = await inFolder((out) => measure(contender.command(app, out), out));
      costs.get(contender)?.push(cost);
      process.stderr.write(`round ${round + 1}: ${contender.name} ${cost.wall.toFixed(2)} s\n`);
    }
  }
  const runs = (contender: Contender) => ({ name: contender.name, costs: costs.get(contender) ?? [] });
  const [first, ...others] = CONTENDERS;
  print(table([runs(first), ...others.map(runs)]));
}

/** 1 GB is built and pushed into Debian's docker-registry, nothing of it in a cache. */
async function memory(): Promise<void> {
  const app = await gigabyte();
  await describeInput(app);
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++) costs.push(await buildAndPush(app));
  print(table([{ name: "lambda-pack, into docker-registry", costs }]));
  print(`at most ${(Math.max(...costs.map(({ peak }) => peak)) / 1e6).toFixed(0)} MB of memory`);
}

async function buildAndPush(app: string): Promise<Cost> {
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    const to = `${registry.host}/bench/gigabyte:v1`;
    const command = lambdaPack("build", app, "--base", "scratch", "--to", to, "--no-cache", "--quiet");
    return await measure(command, registry.storage);
  } finally {
    await registry.stop();
  }
}

/** What a build costs that is not the first. */
async function rebuild(): Promise<void> {
  await describeInput(await manyFiles());
  print(await again(rounds));
}

const cases: Readonly<Record<string, () => Promise<void>>> = { again: rebuild, cold, memory };
const wanted = positionals.length > 0 ? positionals : ["cold", "memory"];
for (const name of wanted) {
  const run = cases[name];
  if (!run || !(rounds > 0))
    throw new Error(`usage: scripts/bench [${Object.keys(cases).join("|")}] [--rounds N]`);
  await run();
}
