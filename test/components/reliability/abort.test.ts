import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { push } from "../../../src/commands/push/push.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { layOut, seededImage } from "../../support/reliability/image.ts";

for (const kind of ["head manifest", "head blob", "start upload", "put upload", "put manifest"] as const) {
  it(`a push that is stopped while its ${kind} gets no answer ends at once`, {
    timeout: 60_000,
  }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), "lambda-pack-abort-"));
    const registry = await TestRegistry.start();
    t.after(async () => {
      await registry.stop();
      rmSync(directory, { recursive: true, force: true });
    });
    const stop = new AbortController();
    registry.fault = (request) => {
      if (request.kind !== kind) return undefined;
      setTimeout(() => stop.abort(), 50);
      return { kind: "silence" };
    };
    const source = `oci:${await layOut(directory, seededImage("abort", 1000))}:v1`;
    const settings = { cache: false, environment: { HOME: directory }, signal: stop.signal };
    const pushed = push({ source, to: `${registry.host}/app:v1`, ...settings });
    await assert.rejects(pushed, { code: "ABORTED" });
  });
}
