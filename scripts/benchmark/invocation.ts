import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dev } from "../../src/index.ts";
import { inDirectory } from "./cold.ts";
import { lambdaPack } from "./contenders.ts";
import { measure } from "./measure.ts";

const NODE_APP = { "index.js": "exports.handler = async () => 1;", "package.json": "{}" };
const TYPESCRIPT_APP = {
  "index.ts": "export const handler = async (): Promise<number> => 1;",
  "package.json": "{}",
};
const PYTHON_APP = { "app.py": "def handler(event, context):\n    return 1\n" };

/**
 * Times `invoke` of a function that does nothing, and `dev` from the save of a file to the new
 * response. Returns medians in ms.
 */
export async function invocation(rounds: number): Promise<string> {
  const rows = await inDirectory(async (app) => {
    write(app, NODE_APP);
    return [
      ["node -e 0", await medianOf(rounds, [process.execPath, "-e", "0"])],
      ["invoke, a function in Node", await medianOf(rounds, lambdaPack("invoke", app))],
      ["dev, from a saved file to its answer", await reloads(rounds, app, "index.js")],
    ] as const;
  });
  const python = await inDirectory(async (app) => {
    write(app, PYTHON_APP);
    return [
      ["python3 -c 0", await medianOf(rounds, ["python3", "-c", "0"])],
      ["invoke, a function in Python", await medianOf(rounds, lambdaPack("invoke", app))],
    ] as const;
  });
  const bundled = await inDirectory(async (app) => {
    write(app, TYPESCRIPT_APP);
    return [
      ["dev --bundle, from a saved file to its answer", await reloads(rounds, app, "index.ts")],
    ] as const;
  });
  return [...rows, ...bundled, ...python]
    .map(([name, ms]) => `${String(ms).padStart(6)} ms  ${name}`)
    .join("\n");
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

async function medianOf(rounds: number, command: readonly string[]): Promise<number> {
  const walls: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await inDirectory(async (out) => void walls.push((await measure(command, out)).wall));
  }
  return Math.round(median(walls) * 1000);
}

async function reloads(rounds: number, directory: string, file: "index.js" | "index.ts"): Promise<number> {
  const bundle = file === "index.ts";
  const server = await dev({ directory, port: 0, bundle });
  const times: number[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const startedAt = performance.now();
      const name = bundle ? "export const handler" : "exports.handler";
      writeFileSync(join(directory, file), `${name} = async () => ${round + 1};`);
      while ((await (await fetch(server.url)).text()) !== String(round + 1)) await new Promise(setImmediate);
      times.push(performance.now() - startedAt);
    }
  } finally {
    await server.stop();
  }
  return Math.round(median(times));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
