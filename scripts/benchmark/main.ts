import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { startRegistry } from "../../test/support/components/registries.ts";
import { again } from "./again.ts";
import { cold, INPUTS, inDirectory, limit } from "./cold.ts";
import { ALLOWED, lambdaPack, ours } from "./contenders.ts";
import { functions } from "./functions.ts";
import { gigabyte, manyFiles, thousandsOfFiles, warm } from "./inputs.ts";
import { install } from "./install.ts";
import { invocation } from "./invocation.ts";
import { type Cost, measure } from "./measure.ts";
import { overlap } from "./overlap.ts";
import { table } from "./table.ts";
import { pulls, pushes } from "./transfer.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "5" }, help: { type: "boolean", short: "h" } },
});
const rounds = Number.parseInt(values.rounds, 10);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function describe(app: string, count = rounds): Promise<string> {
  const { files, bytes } = await warm(app);
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`;
  return `${files} files, ${(bytes / 1e6).toFixed(0)} MB, in the page cache; ${machine}; load ${loadavg()[0]?.toFixed(1)}; medians of ${count} rounds`;
}

/** Builds 1 GB without a cache and pushes it to Debian's docker-registry. */
async function memory(): Promise<void> {
  const app = await gigabyte();
  print(await describe(app));
  const costs: Cost[] = [];
  for (let round = 0; round < rounds; round++) costs.push(await buildAndPush(app));
  print(table([{ name: "lambda-pack, into docker-registry", costs }]));
  print(`at most ${(Math.max(...costs.map(({ peak }) => peak)) / 1e6).toFixed(0)} MB of memory`);
}

/** Uses no base, so that only packing and sending are measured; Lambda would not run the image. */
const BUILD = ["build", "--base", "scratch", "--no-check", "--no-cache", "--quiet"] as const;

async function buildAndPush(app: string): Promise<Cost> {
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    const to = `${registry.host}/bench/gigabyte:v1`;
    const command = lambdaPack(...BUILD, app, "--to", to);
    return await measure(command, registry.storage);
  } finally {
    await registry.stop();
  }
}

/** Times builds after the first. */
async function rebuild(): Promise<void> {
  print(await describe(await manyFiles()));
  print(await again(rounds));
}

const SMALL_FILES = "many small files";

async function coldBuilds(names: readonly (keyof typeof INPUTS)[]): Promise<void> {
  for await (const text of cold(names, rounds, (app) => describe(app))) print(text);
}

/** Compares the time of packing and sending at once with the longer of the two alone. */
async function overlapped(): Promise<void> {
  const app = await gigabyte();
  print(await describe(app));
  for (let round = 0; round < rounds; round++) {
    const { pack, send, both } = await inDirectory((out) => overlap(app, out));
    const ratio = both.wall / Math.max(pack.wall, send.wall);
    const [one, other, all] = [pack, send, both].map(({ wall }) => wall.toFixed(1));
    print(
      `packing ${one} s, sending at 50 MB/s ${other} s, both at once ${all} s: ${ratio.toFixed(2)}x the longer`,
    );
  }
}

/** Times all functions of a config file in one run, and in one run for each function. */
async function manyFunctions(): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const { together, oneByOne } = await functions();
    print(
      `30 functions in one run ${together.toFixed(1)} s, in 30 runs ${oneByOne.toFixed(1)} s: ${(oneByOne / together).toFixed(1)}x`,
    );
  }
}

/** Measures the resident memory of a build with a million files. */
async function million(): Promise<void> {
  await inDirectory(async (app) => {
    thousandsOfFiles(app, 1000);
    print(await describe(app, 1));
    const cost = await inDirectory((out) => measure(ours.command(app, out), out));
    const runs = { name: "lambda-pack", costs: [cost] };
    print(table([runs]));
    print(await limit(runs));
  });
}

/** Measures the memory of reading an image with nearly as many paths as the limit of 300,000. */
async function paths(): Promise<void> {
  await inDirectory(async (app) => {
    thousandsOfFiles(app, 298);
    await inDirectory(async (out) => {
      await measure(ours.command(app, out), out);
      const costs = { inspect: [] as Cost[], check: [] as Cost[] };
      for (let round = 0; round < rounds; round++) {
        costs.inspect.push(await measure(lambdaPack("inspect", `oci:${out}/image`), out));
        costs.check.push(await measure(lambdaPack("check", `oci:${out}/image`, ...ALLOWED.slice(0, 4)), out));
      }
      print(await describe(app, rounds));
      print(
        table([
          { name: "inspect", costs: costs.inspect },
          { name: "check", costs: costs.check },
        ]),
      );
    });
  });
}

async function transfers(): Promise<void> {
  for await (const text of pushes(rounds)) print(text);
}

const cases: Readonly<Record<string, () => Promise<void>>> = {
  million,
  again: rebuild,
  cold: () => coldBuilds(Object.keys(INPUTS) as (keyof typeof INPUTS)[]),
  files: () => coldBuilds([SMALL_FILES]),
  functions: manyFunctions,
  overlap: overlapped,
  memory,
  paths,
  install: async () => print(await install(rounds)),
  push: () => transfers(),
  pull: async () => print(await pulls(rounds)),
  invoke: async () => print(await invocation(rounds)),
};
const usage = `usage: scripts/bench [${Object.keys(cases).join("|")}]... [--rounds N]`;
if (values.help) {
  print(usage);
  process.exit();
}
const wanted = positionals.length > 0 ? positionals : ["cold", "memory"];
for (const name of wanted) {
  const run = cases[name];
  if (!run || !(rounds > 0)) throw new Error(usage);
  await run();
}
