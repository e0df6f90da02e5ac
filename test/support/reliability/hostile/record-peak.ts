import { readFileSync, writeFileSync } from "node:fs";

/** Loaded before the command: leaves in PEAK_FILE how many bytes the process had resident at most. */
process.on("exit", () => {
  // Not resourceUsage(): that begins with what the process had that started this one.
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  writeFileSync(process.env["PEAK_FILE"] ?? "/dev/null", String(Number(kilobytes) * 1024));
});
