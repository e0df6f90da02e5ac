import { bundled } from "./bundled.ts";
import { run } from "./run.ts";

/** Runs a script of this directory in a process of its own and gives what it printed. */
export async function runTypeScript(name: string, args: readonly string[]): Promise<string> {
  return run(process.execPath, [await bundled(name), ...args]);
}
