import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inDirectory } from "./cold.ts";
import { lambdaPack } from "./contenders.ts";
import { type Cost, measure } from "./measure.ts";

/** Typical dependencies: a native package, a framework, two AWS SDK clients, three libraries. */
const DEPENDENCIES = {
  sharp: "0.34.5",
  express: "5.1.0",
  "@aws-sdk/client-s3": "3.1000.0",
  "@aws-sdk/client-dynamodb": "3.1000.0",
  zod: "4.1.0",
  lodash: "4.17.21",
  pg: "8.16.0",
};

const NPM = "npm ci --omit=dev --os=linux --cpu=arm64 --libc=glibc --ignore-scripts --no-audit --no-fund";
const BUILD = [
  "build",
  "--base",
  "scratch",
  "--arch",
  "arm64",
  "--cmd",
  "index.handler",
  "--no-check",
  "--quiet",
] as const;

/**
 * The cache directories by which a build finds a layer again. Without them it unpacks and packs.
 */
const RECORDS = ["installations", "layers", "signatures"];

interface Contender {
  readonly name: string;
  /** The name of the contender that it is compared with. */
  readonly against?: string;
  run(): Promise<Cost>;
}

/**
 * Times an install for another platform by npm and by lambda-pack, one after the other in each
 * round. Returns a Markdown table with ratios of medians.
 */
export async function install(rounds: number): Promise<string> {
  return inDirectory(async (directory) => {
    const app = join(directory, "app");
    mkdirSync(app);
    writeFileSync(
      join(app, "package.json"),
      JSON.stringify({ name: "app", version: "1.0.0", dependencies: DEPENDENCIES }),
    );
    writeFileSync(join(app, "index.js"), "exports.handler = async () => 1;\n");
    execFileSync("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], {
      cwd: app,
      stdio: "ignore",
    });
    const contenders = contendersIn(directory, app);
    const costs = new Map<Contender, Cost[]>(contenders.map((one) => [one, []]));
    for (const one of contenders)
      if (one.name.includes("warm") || one.name.includes("there")) await one.run();
    for (let round = 0; round < rounds; round++)
      for (const [one, all] of costs) {
        const cost = await one.run();
        all.push(cost);
        process.stderr.write(`round ${round + 1}: ${one.name} ${cost.wall.toFixed(2)} s\n`);
      }
    return `${packagesIn(app)} packages in the lock\n${tableOf(costs)}`;
  });
}

function packagesIn(app: string): number {
  const lock: unknown = JSON.parse(readFileSync(join(app, "package-lock.json"), "utf8"));
  const { packages } = lock as { readonly packages: Readonly<Record<string, unknown>> };
  return Object.keys(packages).filter((path) => path !== "").length;
}

function contendersIn(directory: string, app: string): readonly Contender[] {
  const npm = (cache: string, flags = "") =>
    fresh(join(directory, "npm"), (work) => {
      cpSync(app, work, { recursive: true });
      return measure(["sh", "-c", `cd '${work}' && exec ${NPM} --cache '${cache}' ${flags}`], work);
    });
  const ours = (cache: string) =>
    fresh(join(directory, "out"), (out) => {
      mkdirSync(out);
      return measure(
        lambdaPack(...BUILD, app, "--install", "--cache-dir", cache, "--to", `oci:${out}/image`),
        out,
      );
    });
  const [npmCache, cache, kept] = ["npm-cache", "cache", "kept"].map((name) => join(directory, name));
  return [
    { name: "npm ci, cold", run: () => fresh(`${npmCache}-cold`, (one) => npm(one)) },
    { name: "lambda-pack, cold", against: "npm ci, cold", run: () => fresh(`${cache}-cold`, ours) },
    { name: "npm ci, warm", run: () => npm(`${npmCache}`, "--prefer-offline") },
    {
      name: "lambda-pack, archives in a warm cache",
      against: "npm ci, warm",
      run: () => {
        for (const name of RECORDS) rmSync(join(`${cache}`, name), { recursive: true, force: true });
        return ours(`${cache}`);
      },
    },
    { name: "lambda-pack, the layer is there", against: "npm ci, warm", run: () => ours(`${kept}`) },
  ];
}

async function fresh<T>(path: string, work: (path: string) => Promise<T>): Promise<T> {
  rmSync(path, { recursive: true, force: true });
  try {
    return await work(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Formats medians, with the minimum and maximum of each in brackets. */
function tableOf(costs: ReadonlyMap<Contender, readonly Cost[]>): string {
  const of = (name: string | undefined) => [...costs].find(([one]) => one.name === name)?.[1] ?? [];
  const rows = [...costs].map(([{ name, against }, all]) => {
    const ratio = (what: "wall" | "cpu") => (median(of(against), what) / median(all, what)).toFixed(1);
    const compared =
      against === undefined
        ? ""
        : `${ratio("wall")} x as fast as ${against}, ${ratio("cpu")} x less CPU time`;
    const peak = Math.max(...all.map((cost) => cost.peak));
    return `| ${name} | ${spread(all, "wall")} | ${spread(all, "cpu")} | ${(peak / 1e6).toFixed(0)} | ${compared} |`;
  });
  return ["| | wall s | CPU s | peak MB | |", "|---|---|---|---|---|", ...rows].join("\n");
}

function sorted(costs: readonly Cost[], what: keyof Cost): readonly number[] {
  return costs.map((cost) => cost[what]).sort((a, b) => a - b);
}

function median(costs: readonly Cost[], what: keyof Cost): number {
  return sorted(costs, what)[costs.length >> 1] ?? 0;
}

function spread(costs: readonly Cost[], what: keyof Cost): string {
  const values = sorted(costs, what);
  const [least = 0, most = 0] = [values[0], values.at(-1)];
  return `${median(costs, what).toFixed(1)} (${least.toFixed(1)} to ${most.toFixed(1)})`;
}
