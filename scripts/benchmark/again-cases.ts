import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { ALLOWED, CONTENDERS, lambdaPack } from "./contenders.ts";
import { manyFiles } from "./inputs.ts";
import { type Cost, measure } from "./measure.ts";

/** Medians of wall time in seconds; the limits of other cases refer to them. */
export interface Medians {
  readonly node: number;
  readonly cold: number;
  readonly umoci: number;
}

/** A command to measure. `bytes` in the cost of a build are those that it sent. */
export interface Case {
  readonly name: string;
  readonly run: (round: number, out: string) => Promise<Cost>;
  /** Set if the median of this case is a reference for others. */
  readonly is?: keyof Medians;
  /** The time that docs/performance.md promises. */
  readonly limit?: Limit;
}

type Limit = readonly [text: string, seconds: (medians: Medians) => number];

const PACKAGE = "node_modules/lodash/lodash.js";

/** A build reads files again that changed less than two seconds before the last one (src/layer). */
const SETTLE_MS = 2500;

const aboveNode = (ms: number): Limit => [`node + ${ms} ms`, ({ node }) => node + ms / 1000];

/** Creates the inputs in `directory`, and builds each once into the registry `host`. */
export async function prepareCases(directory: string, host: string): Promise<readonly Case[]> {
  const [same, edited, small] = [
    join(directory, "same"),
    join(directory, "edited"),
    join(directory, "small"),
  ];
  for (const copy of [same, edited])
    cpSync(await manyFiles(), copy, { recursive: true, preserveTimestamps: true });
  mkdirSync(small);
  for (const name of ["index.mjs", "a.mjs", "b.mjs", "c.json", "d.txt"])
    writeFileSync(join(small, name), "0;\n");
  await setTimeout(SETTLE_MS);
  const at = (name: string) => `${host}/bench/${name}`;
  const build = (source: string, to: string, cache = "warm", ...more: readonly string[]) =>
    lambdaPack(
      ...[
        "build",
        source,
        "--cmd",
        "index.handler",
        "--to",
        to,
        "--cache-dir",
        join(directory, cache),
        "--quiet",
      ],
      ...ALLOWED,
      ...(more.includes("--base") ? more : ["--base", "scratch", ...more]),
    );
  const digest = await digestOf(build(small, at("base:v1")), directory);
  const bases = { tag: at("base:v1"), digest: `${at("base")}@${digest}` };
  await measure(build(same, at("app:v1")), directory);
  await measure(build(same, `oci:${join(directory, "image")}`), directory);
  await measure(build(edited, at("edited:v1")), directory);
  for (const base of Object.values(bases))
    await measure(build(small, `oci:${join(directory, "first")}`, "warm", "--base", base), directory);
  const into = (source: string, to: string, cache?: string) => (_round: number, out: string) =>
    measureSent(build(source, to, cache), out);
  const changed = (path: string) => (round: number, out: string) => {
    appendFileSync(join(edited, path), `// ${round}\n`);
    return measureSent(build(edited, at("edited:v1")), out);
  };
  const smallOver =
    (base: string, ...more: readonly string[]) =>
    (_: number, out: string) =>
      measureSent(build(small, `oci:${join(out, "image")}`, "warm", "--base", base, ...more), out);
  const [, umoci] = CONTENDERS;
  return [
    { name: "node -e 0", is: "node", run: (_, out) => measure([process.execPath, "-e", "0"], out) },
    { name: "umoci insert", is: "umoci", run: (_, out) => measure(umoci?.command(same, out) ?? [], out) },
    { name: "--help", limit: aboveNode(40), run: (_, out) => measure(lambdaPack("--help"), out) },
    { name: "5-file app, base by its digest", limit: aboveNode(150), run: smallOver(bases.digest) },
    { name: "5-file app, --offline", limit: aboveNode(150), run: smallOver(bases.tag, "--offline") },
    { name: "5-file app, the base's tag asked for", limit: aboveNode(150), run: smallOver(bases.tag) },
    {
      name: "nothing changed, the directory has it",
      limit: aboveNode(600),
      run: into(same, `oci:${join(directory, "image")}`),
    },
    {
      name: "nothing changed, the registry has it",
      limit: aboveNode(600),
      run: into(same, at("app:v1")),
    },
    {
      name: "nothing changed, into a new directory",
      run: (_, out) => measureSent(build(same, `oci:${join(out, "image")}`), out),
    },
    {
      name: "one file of the app layer changed",
      limit: ["0.10 x umoci", ({ umoci }) => umoci * 0.1],
      run: changed("index.mjs"),
    },
    { name: "one package changed", limit: ["0.35 x cold", ({ cold }) => cold * 0.35], run: changed(PACKAGE) },
    {
      name: "fresh checkout, empty cache, image in the registry",
      limit: ["0.35 x cold", ({ cold }) => cold * 0.35],
      run: (round, out) => measureSent(build(same, at("app:v1"), `fresh-${round}`), out),
    },
    {
      name: "cold, into the registry",
      is: "cold",
      run: (round, out) => measureSent(build(same, at(`cold-${round}:v1`), `cold-${round}`), out),
    },
  ];
}

async function measureSent(command: readonly string[], out: string): Promise<Cost> {
  const file = join(out, "result.json");
  const cost = await measure([...command, "--metadata-file", file], out);
  const { stats } = JSON.parse(readFileSync(file, "utf8")) as { readonly stats: { readonly sent: number } };
  return { ...cost, bytes: stats.sent };
}

async function digestOf(command: readonly string[], out: string): Promise<string> {
  const file = join(out, "result.json");
  await measure([...command, "--metadata-file", file], out);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly digest: string }).digest;
}
