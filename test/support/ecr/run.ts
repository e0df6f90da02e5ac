import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { PROGRAM, TYPESCRIPT } from "../run.ts";
import type { EcrWorld } from "./world.ts";

export interface RunOptions {
  /** Added to the world's; undefined removes one. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Written to stdin, which then ends. */
  readonly input?: string;
  /** Milliseconds after which the process is killed with SIGKILL. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface RunResult {
  /** null: killed by `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Running {
  /** To send it a signal. */
  readonly child: ChildProcess;
  /** When it ended and its output is closed. */
  readonly result: Promise<RunResult>;
}

/** A world, or as much of one as a process needs. */
export type Surroundings = Pick<EcrWorld, "environment"> & Partial<Pick<EcrWorld, "leaks">>;

/**
 * Starts lambda-pack with the arguments `argv`, or, where that is one string, Node on a module with this text.
 * The process has the world's environment and, of this one's, only PATH. It trusts the world's authority because it starts with it.
 * The result rejects where the output holds a secret of the world.
 */
export function startInWorld(
  world: Surroundings,
  argv: string | readonly string[],
  { environment = {}, cwd, input = "", timeoutMs = 200_000 }: RunOptions = {},
): Running {
  const script =
    typeof argv === "string" ? [...TYPESCRIPT, "--input-type=module", "-e", argv] : [...PROGRAM, ...argv];
  const started = performance.now();
  const child = spawn(process.execPath, script, {
    env: { PATH: process.env["PATH"], ...world.environment, ...environment },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    ...(cwd !== undefined && { cwd }),
  });
  child.stdin.on("error", () => {}); // A process that reads no input may end before it is written.
  child.stdin.end(input);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const result = ended.then(([stdout, stderr, [code, signal]]) => {
    const leaks = world.leaks?.(stdout + stderr) ?? [];
    if (leaks.length > 0)
      throw new Error(`${leaks.length} secrets in the output of ${script.join(" ").slice(-200)}`);
    return { code, signal, stdout, stderr, ms: performance.now() - started };
  });
  return { child, result };
}

/** As {@link startInWorld}, to the end. */
export function runInWorld(
  world: Surroundings,
  argv: string | readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return startInWorld(world, argv, options).result;
}
