import { readFileSync } from "node:fs";
import type { FunctionError, Outcome } from "./api/invocation.ts";
import type { InitPhase } from "./api/telemetry.ts";

/** One invocation, with the values of its REPORT line. */
export interface InvocationReport {
  readonly requestId: string;
  readonly outcome: Outcome;
  /**
   * true: the function or an extension had not finished at the timeout, even if the response was
   * sent.
   */
  readonly isLate: boolean;
  readonly durationMs: number;
  /** Set for the first invocation only. */
  readonly initDurationMs?: number | undefined;
  /** Absent if the system does not report it. */
  readonly maxMemoryMb?: number | undefined;
  /** The last 4 KB of the log. */
  readonly logTail: Buffer;
}

export function startLine(requestId: string, version: string): string {
  return `START RequestId: ${requestId} Version: ${version}\n`;
}

/** Formats the line of a timeout. @param now milliseconds since 1970 */
export function timeoutLine(requestId: string, timeoutMs: number, now: number): string {
  const seconds = (timeoutMs / 1000).toFixed(2);
  return `${new Date(now).toISOString()} ${requestId} Task timed out after ${seconds} seconds\n\n`;
}

/**
 * Formats the line of a start that failed or took too long (AWS docs, "Understanding the Lambda
 * execution environment lifecycle").
 */
export function initReportLine(
  durationMs: number,
  phase: InitPhase,
  error: FunctionError | undefined,
): string {
  const status = error ? `error\tError Type: ${error.errorType}` : "timeout";
  return `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}\n`;
}

/**
 * Formats the END and REPORT lines. The billed time is the init phase and the duration, in whole
 * milliseconds.
 */
export function endLines(report: Omit<InvocationReport, "logTail">, memoryMb: number): string {
  const { requestId, outcome, isLate, durationMs, initDurationMs, maxMemoryMb } = report;
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${durationMs.toFixed(2)} ms`,
    `Billed Duration: ${Math.ceil(durationMs + (initDurationMs ?? 0))} ms`,
    `Memory Size: ${memoryMb} MB`,
    ...(maxMemoryMb === undefined ? [] : [`Max Memory Used: ${maxMemoryMb} MB`]),
    ...(initDurationMs === undefined ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
    ...(isLate ? ["Status: timeout"] : statusFields(outcome)),
  ];
  return `END RequestId: ${requestId}\n${fields.join("\t")}\n`;
}

function statusFields(outcome: Outcome): readonly string[] {
  return outcome.kind === "result" ? [] : ["Status: error", `Error Type: ${outcome.errorType}`];
}

interface Usage {
  readonly kilobytes: number;
  /** The number of PID namespaces that the process is in; 1 without a sandbox. */
  readonly depth: number;
}

/**
 * Returns the sum of the peak memory, in MB, of a process and its descendants; in a sandbox only of
 * the processes inside. undefined without /proc.
 */
export function peakMemoryMb(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const pids = [String(pid)];
  const usages: Usage[] = [];
  for (const one of pids) {
    usages.push(usageOf(one));
    pids.push(...read(`/proc/${one}/task/${one}/children`).split(" ").filter(Boolean));
  }
  const deepest = Math.max(...usages.map(({ depth }) => depth));
  const kilobytes = usages.reduce((sum, usage) => sum + (usage.depth === deepest ? usage.kilobytes : 0), 0);
  return kilobytes === 0 ? undefined : Math.ceil(kilobytes / 1024);
}

function usageOf(pid: string): Usage {
  const status = read(`/proc/${pid}/status`);
  const [, kilobytes = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  const [, numbers = ""] = /^NSpid:\t(.*)$/m.exec(status) ?? [];
  return { kilobytes: Number(kilobytes), depth: numbers.split("\t").length };
}

/** Reads a file; "" if the process has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
