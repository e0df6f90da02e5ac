import { readFileSync } from "node:fs";

interface Usage {
  readonly kilobytes: number;
  /** How many PID namespaces the process is in; 1 without a sandbox. */
  readonly depth: number;
}

/**
 * The most memory that a process and those it started have had, in MB, added up; of a sandbox only
 * what is inside. Undefined where there is no /proc.
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

/** "" for a process that has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
