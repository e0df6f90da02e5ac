import { readFileSync } from "node:fs";

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
