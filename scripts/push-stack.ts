import nodeConsole from "node:console";
import { mkdtempSync, rmSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Duplex, type Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { push } from "../src/commands/push/push.ts";
import { TestRegistry } from "../test/support/registry/registry.ts";
import { layOut, seededImage } from "../test/support/reliability/image.ts";

/**
 * Pushes a small image to a test registry and prints the calls from `push()` to the write of the
 * closing PUT, without anonymous callbacks.
 */
const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

interface Frame {
  readonly functionName: string;
  readonly url: string;
}

interface Trace {
  readonly callFrames: readonly Frame[];
  readonly parent?: Trace | undefined;
}

async function stackOfClosingPut(): Promise<readonly string[]> {
  const inspector = new Session();
  inspector.connect();
  await inspector.post("Runtime.enable");
  await inspector.post("Debugger.enable");
  await inspector.post("Debugger.setAsyncCallStackDepth", { maxDepth: 200 });
  let trace: Trace | undefined;
  inspector.on("Runtime.consoleAPICalled", ({ params }) => {
    if (params.type === "trace") trace ??= params.stackTrace;
  });
  const write = Duplex.prototype.write;
  Reflect.set(Duplex.prototype, "write", function (this: Writable, ...chunk: Parameters<Writable["write"]>) {
    if (isClosingPut(this)) nodeConsole.trace();
    return Reflect.apply(write, this, chunk);
  });
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-stack-"));
  const registry = await TestRegistry.start();
  try {
    const source = `oci:${await layOut(directory, seededImage("stack", 1000))}:v1`;
    await push({ source, to: `${registry.host}/app:v1`, cache: false, environment: { HOME: directory } });
  } finally {
    await registry.stop();
    inspector.disconnect();
    rmSync(directory, { recursive: true, force: true });
  }
  return callsOf(trace);
}

/** Returns whether the stream is the closing PUT of an upload: got's streams hold their options. */
function isClosingPut(stream: Writable): boolean {
  const options: unknown = Reflect.get(stream, "options");
  if (typeof options !== "object" || options === null) return false;
  const url: unknown = Reflect.get(options, "url");
  return (
    Reflect.get(options, "method") === "PUT" && url instanceof URL && url.pathname.includes("/blobs/uploads/")
  );
}

/**
 * Lists the calls from the outermost to the innermost, each once, although an await shows some
 * again.
 */
function callsOf(trace: Trace | undefined): readonly string[] {
  const calls: string[] = [];
  for (let part = trace; part; part = part.parent) {
    for (const { functionName, url } of part.callFrames) {
      const file = url.startsWith("file:") ? relative(SOURCE, fileURLToPath(url)) : "..";
      const call = `${functionName} (${file})`;
      if (functionName === "" || file.startsWith("..") || calls.at(-1) === call) continue;
      calls.push(call);
    }
  }
  const innermostFirst = calls.filter((call, index) => calls.indexOf(call) === index || isRepeated(call));
  return innermostFirst.reverse();
}

/** Returns whether a call is expected twice: `allOrAbort`, for the destinations and the blobs. */
function isRepeated(call: string): boolean {
  return call.startsWith("allOrAbort");
}

const calls = await stackOfClosingPut();
const files = new Set(calls.map((call) => call.replace(/^.*\(/, "")));
process.stdout.write(`${calls.join("\n")}\n${calls.length} calls through ${files.size} files\n`);
process.exit(0);
