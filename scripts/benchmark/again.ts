import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RealRegistry, startRegistry } from "../../test/support/registries.ts";
import { CONTENDERS, lambdaPack } from "./contenders.ts";
import { manyFiles } from "./inputs.ts";
import { type Cost, measure } from "./measure.ts";

/** What a build that is not the first costs; `bytes` is what was sent. */
interface Case {
  readonly name: string;
  /** What issue "the layer engine" allows. */
  readonly limit: string;
  readonly run: (round: number, out: string) => Promise<Cost>;
}

const [, umoci] = CONTENDERS;
const PACKAGE = "node_modules/lodash/lodash.js";

/** Everything once a round, another first each time: a table with medians, ranges, and parts of a cold build and of umoci's. */
export async function again(rounds: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "lambda-pack-again-"));
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    const cases = await prepare(folder, registry);
    const costs = new Map<Case, Cost[]>(cases.map((one) => [one, []]));
    for (let round = 0; round < rounds; round++) {
      const start = round % cases.length;
      for (const one of [...cases.slice(start), ...cases.slice(0, start)]) {
        const out = mkdtempSync(join(folder, "out-"));
        costs.get(one)?.push(await one.run(round, out));
        for (const path of [out, `${out}.storage`, `${out}.run`])
          rmSync(path, { recursive: true, force: true });
        process.stderr.write(
          `round ${round + 1}: ${one.name} ${costs.get(one)?.at(-1)?.wall.toFixed(2)} s\n`,
        );
      }
    }
    return tableOf(costs);
  } finally {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(folder: string, registry: RealRegistry): Promise<readonly Case[]> {
  const app = join(folder, "app");
  cpSync(await manyFiles(), app, { recursive: true, preserveTimestamps: true });
  const small = join(folder, "small");
  mkdirSync(small);
  for (const name of ["index.mjs", "a.mjs", "b.mjs", "c.json", "d.txt"])
    writeFileSync(join(small, name), "0;\n");
  const { host } = registry;
  const build = (source: string, to: string, cache: string, ...more: readonly string[]) => {
    const out = ["--to", to, "--cache-dir", join(folder, cache), "--quiet", "--no-check"];
    return lambdaPack("build", source, "--base", "scratch", "--cmd", "index.handler", ...out, ...more);
  };
  await measure(build(app, `${host}/bench/app:v1`, "warm"), folder);
  const base = `${host}/bench/base:v1`;
  await measure(build(small, base, "warm"), folder);
  await measure([...build(small, `oci:${join(folder, "first")}`, "warm"), "--base", base], folder);
  const told = async (command: readonly string[], out: string): Promise<Cost> => {
    const file = join(out, "result.json");
    const cost = await measure([...command, "--metadata-file", file], out);
    const { stats } = JSON.parse(readFileSync(file, "utf8")) as { readonly stats: { readonly sent: number } };
    return { ...cost, bytes: stats.sent };
  };
  const changed = (path: string) => (round: number, out: string) => {
    appendFileSync(join(app, path), `// ${round}\n`);
    return told(build(app, `${host}/bench/app:v1`, "warm"), out);
  };
  const smallOver =
    (over: string, ...more: readonly string[]) =>
    (_round: number, out: string) =>
      measure([...build(small, `oci:${join(out, "image")}`, "warm", ...more), "--base", over], out);
  return [
    { name: "node -e 0", limit: "", run: (_, out) => measure([process.execPath, "-e", "0"], out) },
    { name: "umoci insert", limit: "", run: (_, out) => measure(umoci?.command(app, out) ?? [], out) },
    {
      name: "cold, into a registry",
      limit: "",
      run: (round, out) => told(build(app, `${host}/bench/cold-${round}:v1`, `cold-${round}`), out),
    },
    {
      name: "nothing changed, warm cache, into a folder",
      limit: "node + 0.25 s",
      run: (_, out) => measure(build(app, `oci:${join(out, "image")}`, "warm"), out),
    },
    {
      name: "nothing changed, warm cache, into the registry",
      limit: "node + 0.25 s",
      run: (_, out) => told(build(app, `${host}/bench/app:v1`, "warm"), out),
    },
    {
      name: "fresh checkout, empty cache, image in the registry",
      limit: "0.35 x cold, 0 bytes of layers",
      run: (round, out) => told(build(app, `${host}/bench/app:v1`, `fresh-${round}`), out),
    },
    { name: "one file of the app layer changed", limit: "0.10 x umoci", run: changed("index.mjs") },
    { name: "one package changed", limit: "0.35 x cold, 0.25 of the bytes", run: changed(PACKAGE) },
    {
      name: "5-file app over a cached base, offline",
      limit: "node + 0.06 s",
      run: smallOver(base, "--offline"),
    },
    {
      name: "5-file app over a cached base, asked for",
      limit: "node + 0.06 s",
      run: smallOver(base),
    },
  ];
}

function median(costs: readonly Cost[], measureOf: (cost: Cost) => number): number {
  const values = costs.map(measureOf).sort((a, b) => a - b);
  return values[values.length >> 1] ?? 0;
}

function tableOf(costs: ReadonlyMap<Case, readonly Cost[]>): string {
  const wallOf = (name: string) => {
    const [, found = []] = [...costs].find(([one]) => one.name.startsWith(name)) ?? [];
    return median(found, ({ wall }) => wall);
  };
  const [node, cold, theirs] = [wallOf("node"), wallOf("cold"), wallOf("umoci")];
  const rows = [...costs].map(([{ name, limit }, all]) => {
    const wall = median(all, (cost) => cost.wall);
    const range = all.map((cost) => cost.wall).sort((a, b) => a - b);
    const cells = [
      name,
      `${wall.toFixed(2)} [${range[0]?.toFixed(2)}-${range.at(-1)?.toFixed(2)}]`,
      (wall - node).toFixed(2),
      (wall / cold).toFixed(2),
      (wall / theirs).toFixed(2),
      median(all, (cost) => cost.cpu).toFixed(2),
      (median(all, ({ peak }) => peak) / 1e6).toFixed(0),
      (median(all, ({ bytes }) => bytes) / 1e6).toFixed(2),
      limit,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| | wall s | - node | x cold | x umoci | CPU s | peak MB | MB sent | at most |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}
