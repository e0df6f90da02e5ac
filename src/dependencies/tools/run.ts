import { spawn } from "node:child_process";
import { hasCode, LambdaPackError } from "../../errors.ts";
import { collect } from "../../layer/collect.ts";
import { printable, redactText } from "../../registry/errors/redact.ts";
import type { Entry } from "../../tar/entry.ts";

/** A call of a package manager. */
export interface ToolCall {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The way to install the program, for the message that it is missing. */
  readonly howToGet: string;
  readonly signal: AbortSignal;
}

interface ToolOutput {
  readonly status: number;
  readonly stdout: string;
  /** The last part of stderr. */
  readonly stderr: string;
}

const MAX_STDOUT_BYTES = 64 * 1024 * 1024;
const LAST_STDERR = 64 * 1024;
/** The time between SIGTERM and SIGKILL. */
const GRACE_MS = 500;

/** Runs a program to its end. @throws INSTALL_FAILED if it is not installed; the signal's reason */
export async function runTool({
  command,
  cwd,
  environment,
  howToGet,
  signal,
}: ToolCall): Promise<ToolOutput> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: { ...environment },
    signal,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  let size = 0;
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= MAX_STDOUT_BYTES) stdout.push(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-LAST_STDERR);
  });
  const status = await new Promise<number>((resolve, reject) => {
    child.on("error", (error) => {
      if (child.pid === undefined) return reject(error);
      // The signal aborted. Waits for the end of the program, which may still write to files that
      // are removed next.
      const kill = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      child.on("exit", () => {
        clearTimeout(kill);
        reject(error);
      });
    });
    child.on("close", (code) => resolve(code ?? 1));
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw hasCode(error, "ENOENT", "EACCES") ? missing(program, howToGet, error) : error;
  });
  signal.throwIfAborted();
  return { status, stdout: Buffer.concat(stdout).toString(), stderr };
}

/** Runs a program like {@link runTool}. @throws INSTALL_FAILED with its output if it fails */
export async function succeedTool(call: ToolCall): Promise<ToolOutput> {
  const output = await runTool(call);
  if (output.status === 0) return output;
  throw failed(call, output);
}

/** Returns whether the program can be run, by asking for its version. */
export async function hasTool(call: Omit<ToolCall, "howToGet">): Promise<boolean> {
  try {
    return (await runTool({ ...call, howToGet: "" })).status === 0;
  } catch (error) {
    if (hasCode(error, "INSTALL_FAILED")) return false;
    throw error;
  }
}

const MAX_LINES = 12;

export function failed(
  { command }: Pick<ToolCall, "command">,
  { status, stdout, stderr }: ToolOutput,
): LambdaPackError {
  const lines = redactText(stderr.trim() === "" ? stdout : stderr)
    .split("\n")
    .map((line) => printable(line, 300))
    .filter((line) => line !== "");
  const output = lines.slice(-MAX_LINES).map((line) => `\n${line}`);
  const message = `${command.slice(0, 3).join(" ")} ended with status ${status}${output.length > 0 ? ":" : ""}${output.join("")}`;
  return new LambdaPackError("INSTALL_FAILED", message, {
    hint: `run it in the directory to see all of its output: ${redactText(command.join(" ").slice(0, 400))}`,
  });
}

function missing(program: string, howToGet: string, cause: unknown): LambdaPackError {
  return new LambdaPackError("INSTALL_FAILED", `${program} is not installed`, { hint: howToGet, cause });
}

/**
 * Lists the files and links in a directory that a package manager filled, without those that
 * `isKept` excludes; sorted by path.
 */
export async function entriesIn(
  directory: string,
  isKept: (path: string) => boolean,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const { files } = await collect({ directory, target: "/", inUse: false, signal });
  const entries: Entry[] = [];
  for (const { entry } of files) if (entry.kind !== "directory" && isKept(entry.path)) entries.push(entry);
  return entries;
}
