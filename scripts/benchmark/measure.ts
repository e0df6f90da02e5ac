import { execFile } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * The cost of one run, in seconds and bytes. `peak` is the resident memory of the largest single
 * process.
 */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
  readonly peak: number;
  readonly bytes: number;
}

const execute = promisify(execFile);
const helper = fileURLToPath(new URL("measure.py", import.meta.url));

/**
 * Runs `command`, which writes to the directory `out`. Throws an error with its stderr when it
 * fails.
 */
export async function measure(
  command: readonly string[],
  out: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Cost> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout, stderr } = await execute("python3", [helper, ...command], options);
  const { status, ...cost } = JSON.parse(stdout) as Cost & { readonly status: number };
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}:\n${stderr}`);
  return { ...cost, bytes: sizeOf(out) };
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
