import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const tsx = import.meta.resolve("tsx");

/** Runs a script of this folder in a process of its own and gives what it printed. */
export function runTypeScript(name: string, args: readonly string[]): Promise<string> {
  const script = fileURLToPath(new URL(name, import.meta.url));
  return run(process.execPath, ["--import", tsx, script, ...args]);
}
