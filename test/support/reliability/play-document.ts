import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { build } from "../../../src/commands/build/build.ts";
import { LambdaPackError } from "../../../src/errors.ts";
import type { BuildEvent } from "../../../src/events.ts";
import type { BadDocument } from "./documents.ts";
import { openStage, type StageName } from "./stage.ts";

/** What a build over a bad image came to. */
export interface Met {
  /** The error's code, `ok` without one. */
  readonly ended: string;
  readonly ms: number;
  /** What is wrong with that, in words. */
  readonly flaw: string | undefined;
}

/** Builds a small app for x86_64 over the image; where it may be had, the build succeeds. */
export async function meetDocument(bad: BadDocument, on: StageName): Promise<Met> {
  const directory = mkdtempSync(join(tmpdir(), "lambda-pack-document-"));
  const stage = await openStage(on);
  const events: BuildEvent[] = [];
  try {
    await stage.store("app", bad.held);
    writeFileSync(join(directory, "app.py"), "def handler(event, context):\n    return 1\n");
    const base = `${stage.host}/app:v1`;
    const started = performance.now();
    const { environment } = stage;
    const settings = { environment, arch: "x86_64", cache: false, check: false } as const;
    const onEvent = (event: BuildEvent) => void events.push(event);
    const error: unknown = await build({
      ...{ directory, base, to: `oci:${join(directory, "out")}`, onEvent },
      ...settings,
      cmd: ["app.handler"],
    }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const ms = performance.now() - started;
    const leaks = stage.leaks([JSON.stringify(events), inspect(error, { depth: 12 })].join("\n"));
    return { ended: codeOf(error), ms, flaw: flawOf(bad, error, base, leaks) };
  } finally {
    await stage.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function codeOf(error: unknown): string {
  return error instanceof LambdaPackError ? error.code : error === undefined ? "ok" : String(error);
}

function flawOf(
  { ends }: BadDocument,
  error: unknown,
  base: string,
  leaks: readonly string[],
): string | undefined {
  if (leaks.length > 0) return `${leaks.length} secrets in the output`;
  if (codeOf(error) !== ends) return `${codeOf(error)} instead of ${ends}: ${String(error)}`;
  if (!(error instanceof LambdaPackError)) return undefined;
  if (!error.message.includes(base) && !error.message.includes("sha256:"))
    return `names no image: ${error.message}`;
  if (error.message.length > 500) return `a message of ${error.message.length} characters`;
  return error.hint === undefined ? `says no next step: ${error.message}` : undefined;
}
