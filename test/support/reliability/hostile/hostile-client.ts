import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { push } from "../../../../src/commands/push/push.ts";
import { LambdaPackError } from "../../../../src/errors.ts";

/** A process of its own: pulls from, or pushes to, a hostile registry and tells how it ended and what memory it took at most. */
const [source = "", to = ""] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), "lambda-pack-hostile-"));
const target = to === "oci:" ? `oci:${join(directory, "out")}:v1` : to;
/** Not resourceUsage(): that begins with what the process had that started this one. */
function peak(): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

const error = await push({ source, to: target, cache: false, environment: { HOME: directory } }).then(
  () => undefined,
  (thrown: unknown) => thrown,
);
rmSync(directory, { recursive: true, force: true });
const code = error instanceof LambdaPackError ? error.code : error === undefined ? "success" : String(error);
const message = error instanceof Error ? error.message.length : 0;
process.stdout.write(JSON.stringify({ code, message, peak: peak() }));
