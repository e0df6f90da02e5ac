import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { ExecutionEnvironment, type FunctionEvent } from "../../src/runtime/execution.ts";
import { findPython } from "../../src/runtime/host/interpreter.ts";
import { nodeLauncher, pythonLauncher } from "../../src/runtime/host/launcher.ts";
import type { Launcher } from "../../src/runtime/launcher.ts";
import type { InvocationReport } from "../../src/runtime/report.ts";

/** Makes a directory with these files, and a package.json so that none above counts; the test's end removes it. */
export function appOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-app-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ "package.json": "{}", ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

export interface Settings {
  readonly handler?: string;
  readonly timeoutMs?: number;
  readonly initTimeoutMs?: number;
  readonly variables?: Readonly<Record<string, string>>;
  readonly node?: string;
}

export interface TestFunction {
  readonly environment: ExecutionEnvironment;
  /** Everything that was logged so far. */
  readonly log: () => string;
  invoke(event: unknown, more?: Partial<FunctionEvent>): Promise<InvocationReport>;
}

export function nodeFunction(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  settings: Settings = {},
): Promise<TestFunction> {
  const directory = appOf(t, files);
  const { node = process.execPath } = settings;
  const launcher = nodeLauncher({ directory, node, version: process.versions.node });
  return startFunction(t, launcher, { handler: "index.handler", ...settings });
}

export async function pythonFunction(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  settings: Settings = {},
): Promise<TestFunction> {
  const { path: python, version } = await findPython(process.env);
  const launcher = pythonLauncher({ directory: appOf(t, files), python, version });
  return startFunction(t, launcher, { handler: "app.handler", ...settings });
}

/** Starts a function without waiting for its init phase. */
export async function startFunction(
  t: TestContext,
  launcher: Launcher,
  { handler = "", timeoutMs = 20_000, variables = {}, initTimeoutMs }: Settings,
): Promise<TestFunction> {
  const lines: string[] = [];
  const environment = await ExecutionEnvironment.start({
    facts: { name: "hello", handler, memoryMb: 128, region: "us-east-1", variables, ...launcher.facts },
    launcher,
    timeoutMs,
    initTimeoutMs,
    onLog: (chunk) => void lines.push(Buffer.from(chunk as Uint8Array).toString()),
  });
  t.after(() => environment.stop());
  return {
    environment,
    log: () => lines.join(""),
    invoke: (event, more = {}) =>
      environment.invoke({ requestId: randomUUID(), payload: Buffer.from(JSON.stringify(event)), ...more }),
  };
}

/** The outcome's kind and its body as a value. */
export function read({ outcome }: InvocationReport): { readonly kind: string; readonly value: unknown } {
  return { kind: outcome.kind, value: JSON.parse(outcome.body.toString()) };
}
