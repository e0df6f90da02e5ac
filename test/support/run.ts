import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { componentPath } from "./components/components.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 300 s; then the program is killed and the promise rejects. */
  readonly limitMs?: number;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Node's flags for a program of ours as it is written, in all of its threads. */
export const TYPESCRIPT: readonly string[] = [
  ...["--import", import.meta.resolve("tsx")],
  ...["--import", new URL("threads.mjs", import.meta.url).href],
];

/** The directory of the bundled program, which scripts/test.ts makes once for all tests. */
const bundle = process.env["TESTED_PROGRAM"];

/** Node's arguments for the command line: bundled, which starts six times as fast, or as it is written. */
export const PROGRAM: readonly string[] = bundle
  ? [join(bundle, "cli.js")]
  : [...TYPESCRIPT, fileURLToPath(new URL("../../src/cli/bin.ts", import.meta.url))];

const MAX_OUTPUT = 64 * 1024 * 1024;

/** Runs a program to its end, whatever its exit status. Rejects when it cannot start, is killed or takes too long. */
export function tryRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env, limitMs = 300_000 } = options;
  const settings = {
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    timeout: limitMs,
    maxBuffer: MAX_OUTPUT,
  };
  return new Promise((resolve, reject) => {
    execFile(componentPath(program) ?? program, args, settings, (error, stdout, stderr) => {
      const status = error === null ? 0 : error.code;
      if (typeof status === "number") resolve({ status, stdout, stderr });
      else reject(error);
    });
  });
}

/** What the program writes to stdout; rejects with its words when it fails. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryRun(program, args, options);
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
}
