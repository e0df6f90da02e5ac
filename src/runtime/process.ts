import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { Writable } from "node:stream";
import { LambdaPackError } from "../errors.ts";
import { programPath } from "./launcher.ts";
import { LogLines } from "./log.ts";

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The value of `MARK` in the function's environment. */
  readonly mark: string;
  readonly onOutput: (chunk: Buffer, stream: "stdout" | "stderr") => void;
  /**
   * true: it reports on file descriptor 3 how its parts ended: `- 3` for the runtime, `NAME 1` for
   * an extension. It reads names of signals for the runtime there.
   */
  readonly reportsEnds?: boolean | undefined;
  readonly onExtensionEnd?: (name: string, how: string) => void;
}

export interface RunningProgram {
  readonly pid: number;
  /**
   * Resolves when the runtime has ended, with Lambda's description: `exit status 3`,
   * `signal: killed`.
   */
  readonly ended: Promise<string>;
  /** Resolves when the program and everything that it started have ended. */
  readonly exited: Promise<unknown>;
  /** Sends a signal to the runtime alone. */
  signal(name: "TERM" | "KILL"): void;
  /** Ends the program and everything that it started. Resolves when its output was read. */
  stop(): Promise<void>;
}

const SUPERVISOR = programPath("supervise.sh");
/**
 * This variable is different for each process, so that descendants which left the process group can
 * be found by it.
 */
export const MARK = "AWS_LAMBDA_LOG_STREAM_NAME";
const OUTPUT_PATIENCE_MS = 500;
/** O_CLOEXEC on Linux for x86-64 and arm64. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Starts a program in its own process group. The program and everything that it starts end at
 * `stop()`, and also if this process is killed with SIGKILL. On Windows only the program ends, and
 * only at `stop()`.
 * @throws RUNTIME_FAILED if it cannot be started
 */
export async function startProgram(program: Program): Promise<RunningProgram> {
  const { command, args, directory: cwd, variables, mark, onOutput } = program;
  const { [MARK]: _mark, ...others } = variables;
  const posix = process.platform !== "win32";
  const child = posix
    ? spawn("/bin/sh", [SUPERVISOR, `${MARK}=${mark}`, command, ...args], {
        cwd,
        env: others,
        detached: true,
        stdio: ["pipe", "pipe", "pipe", program.reportsEnds ? "pipe" : "ignore", ...inPlaceOfInherited()],
      })
    : spawn(command, args, { cwd, env: variables });
  child.stdout?.on("data", (chunk: Buffer) => onOutput(chunk, "stdout"));
  child.stderr?.on("data", (chunk: Buffer) => onOutput(chunk, "stderr"));
  const control = program.reportsEnds ? child.stdio[3] : undefined;
  for (const stream of [child.stdin, control]) stream?.on("error", () => undefined); // it has ended
  const closed = once(child, "close").catch(() => undefined);
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(exitText(code, signal)));
  });
  const runtimeEnded = program.reportsEnds ? readEnds(child, program) : exited;
  await started(child, command);
  const pid = child.pid ?? 0;
  void exited.then(() => killAll(pid, mark, posix));
  return {
    pid,
    ended: Promise.race([runtimeEnded, exited]),
    exited,
    signal(name) {
      if (control instanceof Writable) control.write(`${name}\n`);
      else child.kill(`SIG${name}`);
    },
    stop: async () => {
      const running = child.exitCode === null && child.signalCode === null;
      if (running && !killAll(pid, mark, posix)) child.kill("SIGKILL");
      await exited;
      await Promise.race([closed, sleep(OUTPUT_PATIENCE_MS)]);
      child.stdin?.destroy();
    },
  };
}

/**
 * Returns /dev/null for every descriptor from 4 up to the last one that a new process would
 * inherit. Node closes the descriptors that its own parent left open only up to the first gap.
 */
function inPlaceOfInherited(): readonly number[] {
  if (process.platform !== "linux") return [];
  const last = Math.max(3, ...readdirSync("/proc/self/fd").map(Number).filter(isInherited));
  if (last === 3) return [];
  nothing ??= openSync("/dev/null", "r+");
  return Array<number>(last - 3).fill(nothing);
}

let nothing: number | undefined;

/**
 * Returns whether a new program would inherit the descriptor: O_CLOEXEC is not set (proc(5),
 * fdinfo).
 */
function isInherited(descriptor: number): boolean {
  try {
    const [, flags = ""] =
      /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // the descriptor of the listing itself
  }
}

function readEnds(child: ChildProcess, { onExtensionEnd }: Program): Promise<string> {
  return new Promise((resolve) => {
    const lines = new LogLines((line) => {
      const [, name = "", status = ""] = /^(.*) (\d+)$/.exec(line) ?? [];
      const how = shellExitText(Number(status));
      if (name === "-") resolve(how);
      else onExtensionEnd?.(name, how);
    });
    child.stdio[3]?.on("data", (chunk: Buffer) => lines.write(chunk));
  });
}

/** Describes a shell's status, which is 128 plus the number of the signal that ended a process. */
function shellExitText(status: number): string {
  const [name] = Object.entries(constants.signals).find(([, number]) => number + 128 === status) ?? [];
  return name === undefined ? exitText(status, null) : exitText(null, name as NodeJS.Signals);
}

function started(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) =>
      reject(new LambdaPackError("RUNTIME_FAILED", `${command} cannot be started`, { cause })),
    );
  });
}

/** Describes an end in Go's words, as Lambda's messages do. */
function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") return "signal: killed";
  return signal === null ? `exit status ${code ?? 0}` : `signal: ${signal.slice(3).toLowerCase()}`;
}

/**
 * Kills the process group and its strays. The group exists until the supervisor's watcher is
 * killed, so its number cannot belong to another group yet.
 */
function killAll(pid: number, mark: string, posix: boolean): boolean {
  if (!posix) return false;
  for (const stray of straysOf(mark)) kill(stray);
  return kill(-pid);
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // it has already ended
  }
}

/**
 * Finds processes that left the group (setsid) by the mark in their environment; Linux only. The
 * newest is the first to be killed: a runtime would report that the process which forwards its API
 * has ended.
 */
function straysOf(mark: string): readonly number[] {
  if (process.platform !== "linux" || mark === "") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && environmentHas(name, `${MARK}=${mark}`))
    .map(Number)
    .sort((a, b) => b - a);
}

function environmentHas(pid: string, variable: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable);
  } catch {
    return false; // it has ended, or belongs to another user
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
