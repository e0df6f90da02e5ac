import type { Outcome } from "./api/invocation.ts";

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
  phase: "init" | "invoke",
  status: "error" | "timeout",
  errorType?: string,
): string {
  const error = errorType === undefined ? "" : `\tError Type: ${errorType}`;
  return `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${error}\n`;
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
