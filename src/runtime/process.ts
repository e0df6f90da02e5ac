import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { LambdaPackError } from "../errors.ts";
import { LogLines } from "./log-lines.ts";
import { programPath } from "./program-path.ts";

/** A program to run, with exactly these variables. */
interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The value of `MARK` in the function's environment. */
  readonly mark: string;
  /** Gets what the program writes to stdout and stderr, as it comes. */
  readonly onOutput: (chunk: Buffer) => void;
  /**
   * true: it writes to file descriptor 3 how its parts end, `- 3` for the runtime, `NAME 1` for an
   * extension.
   */
  readonly reportsEnds?: boolean | undefined;
  /** Called for an extension that ended. */
  readonly onExtensionEnd?: (name: string, how: string) => void;
}

export interface RunningProgram {
  readonly pid: number;
  /**
   * Resolves when the runtime has ended, with how Lambda would say it: `exit status 3`,
   * `signal: killed`.
   */
  readonly ended: Promise<string>;
  /** Resolves when the program and everything that it started have ended. */
  readonly exited: Promise<unknown>;
  /** Ends the program with everything that it started, and resolves when its output is read. */
  stop(): Promise<void>;
}

const SUPERVISOR = programPath("supervise.sh");
/**
 * In a function's environment this is different for each process: by it what left the process group
 * is found.
 */
export const MARK = "AWS_LAMBDA_LOG_STREAM_NAME";
const OUTPUT_PATIENCE_MS = 500;
/** O_CLOEXEC of Linux on x86-64 and arm64. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Starts a program in a process group of its own. It ends, with everything it started, at `stop()`
 * and also when this process is killed with SIGKILL; on Windows only at `stop()`, and only the
 * program itself.
 * @throws RUNTIME_FAILED when it cannot be started
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
  child.stdout?.on("data", onOutput);
  child.stderr?.on("data", onOutput);
  child.stdin?.on("error", () => undefined); // the program is gone
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
 * Node keeps what its own caller left open from a new process only up to the first gap. Here
 * /dev/null stands in the place of the rest, from descriptor 4 on.
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
 * Whether a new program would have the descriptor too: its flags lack O_CLOEXEC (proc(5), fdinfo).
 */
function isInherited(descriptor: number): boolean {
  try {
    const [, flags = ""] =
      /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // that of the listing itself
  }
}

/** Resolves when the runtime's end is reported. */
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

/** A shell adds 128 to the number of the signal that ended a process. */
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

/** Go's words, which Lambda's own messages have. */
function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === "SIGKILL") return "signal: killed";
  return signal === null ? `exit status ${code ?? 0}` : `signal: ${signal.slice(3).toLowerCase()}`;
}

/**
 * The group is there at least until the supervisor's watcher is killed: its number is not yet
 * another's.
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
    return false; // it has ended already
  }
}

/** Processes that left the group (setsid) and still have the function's environment. Linux only. */
function straysOf(mark: string): readonly number[] {
  if (process.platform !== "linux" || mark === "") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && environmentHas(name, `${MARK}=${mark}`))
    .map(Number);
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
