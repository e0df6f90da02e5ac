import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";

/** What distinguishes two systems or containers in which a process id means different processes. */
export interface PidScopeFacts {
  readonly hostname: string;
  /** As Linux names it, `pid:[4026531836]`; undefined on systems without PID namespaces. */
  readonly pidNamespace: string | undefined;
  /** Linux's id of this boot; elsewhere the minute in which the system was started. */
  readonly boot: string;
}

/**
 * Returns 8 hex digits that two processes share only if a process id means the same to both. Two
 * containers may have the same host name, and a process 7 each.
 */
export function pidScope({ hostname: host, pidNamespace = "", boot }: PidScopeFacts): string {
  return createHash("sha256").update([host, pidNamespace, boot].join("\n")).digest("hex").slice(0, 8);
}

export function readPidScopeFacts(): PidScopeFacts {
  return {
    hostname: hostname(),
    pidNamespace: orUndefined(() => readlinkSync("/proc/self/ns/pid")),
    boot: orUndefined(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()) ?? bootMinute(),
  };
}

/**
 * Returns the minute of the boot. Processes that round differently treat each other as foreign,
 * which is safe.
 */
function bootMinute(): string {
  return String(Math.round((Date.now() / 1000 - uptime()) / 60));
}

function orUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
