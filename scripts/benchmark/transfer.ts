import { createCipheriv } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { startRegistry } from "../../test/support/components/registries.ts";
import { contentOfBytes, imageOf } from "../../test/support/registry/repository.ts";
import { layOut } from "../../test/support/reliability/image.ts";
import { inDirectory } from "./cold.ts";
import { lambdaPack } from "./contenders.ts";
import { type Cost, measure } from "./measure.ts";
import { table } from "./table.ts";

const MB = 1_000_000;

interface Tool {
  readonly name: string;
  readonly push: (layout: string, to: string) => readonly string[];
  readonly pull: (from: string, out: string) => readonly string[];
}

const OURS: Tool = {
  name: "lambda-pack",
  push: (layout, to) => lambdaPack("push", `oci:${layout}:v1`, to, "--no-cache", "--quiet"),
  pull: (from, out) => lambdaPack("push", from, `oci:${out}/image:v1`, "--no-cache", "--quiet"),
};

const SKOPEO: Tool = {
  name: "skopeo copy",
  push: (layout, to) => skopeo("--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${to}`),
  pull: (from, out) => skopeo("--src-tls-verify=false", `docker://${from}`, `dir:${out}/image`),
};

function skopeo(...args: readonly string[]): readonly string[] {
  return ["skopeo", "copy", "--quiet", ...args];
}

type Run = (tool: Tool) => Promise<Cost>;

/**
 * Compares pushes with skopeo's. Each push goes to a new registry, so that skopeo's cache cannot
 * help.
 */
export async function* pushes(rounds: number): AsyncGenerator<string> {
  const cases = { "5 layers of 72 MB": Array<number>(5).fill(72 * MB), "1 layer of 700 MB": [700 * MB] };
  for (const [name, sizes] of Object.entries(cases)) {
    yield await inDirectory(async (directory) => {
      const layout = await layoutOf(directory, sizes);
      return `## push, ${name}\n${await race(rounds, (tool) => pushOnce(tool, layout))}`;
    });
  }
}

/** Compares pulls of five layers with skopeo's, which writes a `dir:` directory. */
export async function pulls(rounds: number): Promise<string> {
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    return await inDirectory(async (directory) => {
      const from = `${registry.host}/five:v1`;
      await measure(OURS.push(await layoutOf(directory, Array<number>(5).fill(72 * MB)), from), directory);
      const pull: Run = (tool) => inDirectory((out) => measure(tool.pull(from, out), out));
      return `## pull, 5 layers of 72 MB\n${await race(rounds, pull)}`;
    });
  } finally {
    await registry.stop();
  }
}

/** Runs both tools in each round; they take turns at being first. */
async function race(rounds: number, run: Run): Promise<string> {
  const costs = new Map<Tool, Cost[]>([
    [OURS, []],
    [SKOPEO, []],
  ]);
  for (let round = 0; round < rounds; round++) {
    for (const tool of round % 2 === 0 ? [OURS, SKOPEO] : [SKOPEO, OURS])
      costs.get(tool)?.push(await run(tool));
  }
  const runsOf = (tool: Tool) => ({ name: tool.name, costs: costs.get(tool) ?? [] });
  return table([runsOf(OURS), runsOf(SKOPEO)]);
}

async function pushOnce(tool: Tool, layout: string): Promise<Cost> {
  const registry = await startRegistry({ kind: "anonymous" });
  try {
    return await measure(tool.push(layout, `${registry.host}/app:v1`), layout);
  } finally {
    await registry.stop();
  }
}

/**
 * Writes a layout with layers of these sizes (bytes). They are valid gzip, because skopeo would
 * compress anything else.
 */
async function layoutOf(directory: string, sizes: readonly number[]): Promise<string> {
  const layout = join(directory, "layout");
  mkdirSync(layout);
  const layers = sizes.map((size, index) => {
    const random = createCipheriv("aes-128-ctr", Buffer.alloc(16, index), Buffer.alloc(16));
    return contentOfBytes(gzipSync(random.update(Buffer.alloc(size)), { level: 1 }));
  });
  return layOut(layout, imageOf(...layers));
}
