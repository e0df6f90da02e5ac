import { createCipheriv } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { startRegistry } from "../../test/support/registries.ts";
import { layOut } from "../../test/support/reliability/image.ts";
import { contentOfBytes, imageOf } from "../../test/support/repository.ts";
import { lambdaPack } from "../benchmark/contenders.ts";
import { type Cost, measure } from "../benchmark/measure.ts";
import { circumstances, median, say, table, writePart } from "./page.ts";

const ROUNDS = 7;
const MB = 1_000_000;

interface Tool {
  readonly name: string;
  readonly push: (layout: string, to: string) => readonly string[];
  readonly pull: (from: string, out: string) => readonly string[];
}

const TOOLS: readonly [Tool, Tool] = [
  {
    name: "lambda-pack",
    push: (layout, to) => lambdaPack("push", `oci:${layout}:v1`, to, "--no-cache", "--quiet"),
    pull: (from, out) => lambdaPack("push", from, `oci:${out}:v1`, "--no-cache", "--quiet"),
  },
  {
    name: "skopeo copy",
    push: (layout, to) => skopeo("--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${to}`),
    pull: (from, out) => skopeo("--src-tls-verify=false", `docker://${from}`, `dir:${out}`),
  },
];

function skopeo(...args: readonly string[]): readonly string[] {
  return ["skopeo", "copy", "--quiet", ...args];
}

interface Case {
  readonly name: string;
  readonly target: number;
  readonly run: (tool: Tool, folder: string) => Promise<Cost>;
}

/** Both tools once a round, in turn first; each push goes to a registry of its own that holds nothing, so that no cache of skopeo's can help it. */
export async function peers(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lambda-pack-peers-"));
  const five = await layoutOf(
    folder,
    Array.from({ length: 5 }, () => 72 * MB),
  );
  const one = await layoutOf(folder, [700 * MB]);
  const holder = await startRegistry({ kind: "anonymous" });
  try {
    const from = `${holder.host}/five:v1`;
    await measure(TOOLS[0].push(five, from), folder);
    const cases: readonly Case[] = [
      { name: "push, 5 layers of 72 MB", target: 0.5, run: (tool) => pushOnce(tool, five) },
      { name: "push, 1 layer of 700 MB", target: 1, run: (tool) => pushOnce(tool, one) },
      { name: "pull, 5 layers of 72 MB", target: 0.45, run: (tool) => pullOnce(tool, from, folder) },
    ];
    const sections: (readonly (string | number)[])[] = [];
    for (const each of cases) sections.push(...(await compare(each, folder)));
    const head = [
      "",
      "",
      "wall s, median [range]",
      "x skopeo",
      "goal",
      "CPU s",
      "x skopeo",
      "memory MB, most",
    ];
    writePart("peers", `${circumstances()} ${ROUNDS} rounds.\n\n${table(head, sections)}`);
  } finally {
    await holder.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare({ name, target, run }: Case, folder: string) {
  const costs = new Map<Tool, Cost[]>(TOOLS.map((tool) => [tool, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const tool of round % 2 === 0 ? TOOLS : [...TOOLS].reverse()) {
      costs.get(tool)?.push(await run(tool, folder));
    }
    say(`${name}: round ${round + 1} of ${ROUNDS}`);
  }
  const typical = (tool: Tool, what: "wall" | "cpu") =>
    median((costs.get(tool) ?? []).map((cost) => cost[what]));
  const beside = (what: "wall" | "cpu") => typical(TOOLS[0], what) / typical(TOOLS[1], what);
  return TOOLS.map((tool, index) => {
    const own = costs.get(tool) ?? [];
    const walls = own.map((cost) => cost.wall);
    const [low, high] = [Math.min(...walls), Math.max(...walls)];
    const ratio = index === 0 ? [beside("wall").toFixed(2), `at most ${target}`] : ["1", ""];
    const peak = (Math.max(...own.map((cost) => cost.peak)) / MB).toFixed(0);
    return [
      name,
      tool.name,
      `${typical(tool, "wall").toFixed(2)} [${low.toFixed(2)}-${high.toFixed(2)}]`,
      ...ratio,
      typical(tool, "cpu").toFixed(2),
      index === 0 ? beside("cpu").toFixed(2) : "1",
      peak,
    ];
  });
}

async function pushOnce(tool: Tool, layout: string): Promise<Cost> {
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    return await measure(tool.push(layout, `${registry.host}/app:v1`), layout);
  } finally {
    await registry.stop();
  }
}

async function pullOnce(tool: Tool, from: string, folder: string): Promise<Cost> {
  const out = mkdtempSync(join(folder, "out-"));
  try {
    return await measure(tool.pull(from, out), out);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** Real gzip, or skopeo would compress it. */
async function layoutOf(folder: string, sizes: readonly number[]): Promise<string> {
  const place = join(folder, `layers-${sizes.length}`);
  mkdirSync(place);
  const layers = sizes.map((size, index) => {
    const random = createCipheriv("aes-128-ctr", Buffer.alloc(16, index), Buffer.alloc(16));
    return contentOfBytes(gzipSync(random.update(Buffer.alloc(size)), { level: 1 }));
  });
  return layOut(place, imageOf(...layers));
}
