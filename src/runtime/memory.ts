import { readFileSync } from "node:fs";

/** The most memory that a process and those it started have had, in MB, added up; undefined where there is no /proc. */
export function peakMemoryMb(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  let kilobytes = 0;
  const processes = [String(pid)];
  for (const one of processes) {
    kilobytes += Number(/^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${one}/status`))?.[1] ?? 0);
    processes.push(...read(`/proc/${one}/task/${one}/children`).split(" ").filter(Boolean));
  }
  return kilobytes === 0 ? undefined : Math.ceil(kilobytes / 1024);
}

/** "" for a process that has ended. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
