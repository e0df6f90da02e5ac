import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configChanges } from "../../../src/oci/config-changes.ts";
import type { ImageConfig, RunSettings } from "../../../src/oci/image.ts";

function settings(config: RunSettings, more: Partial<ImageConfig> = {}): ImageConfig {
  return { os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] }, config, ...more };
}

describe("what changed in a config", () => {
  it("what changed in a config is told by variable and by label", () => {
    const before = settings({ Env: ["A=1", "B=2"], Labels: { old: "x" } });
    const after = settings({ Env: ["B=2", "A=3", "C=a=b"], Labels: { new: "" } });
    assert.deepEqual(configChanges(before, after), [
      { field: "Env.A", before: "1", after: "3" },
      { field: "Env.C", after: "a=b" },
      { field: "Labels.new", after: "" },
      { field: "Labels.old", before: "x" },
    ]);
  });

  it("what changed in a config is told of fields that nobody here knows", () => {
    const changes = configChanges(settings({ StopSignal: "SIGINT" }), settings({}, { author: "me" }));
    assert.deepEqual(changes, [
      { field: "StopSignal", before: "SIGINT" },
      { field: "author", after: "me" },
    ]);
  });

  it("what changed in a config is nothing if one says null and the other says nothing", () => {
    assert.deepEqual(configChanges(settings({ Volumes: null }), settings({})), []);
  });

  it("leaves layers and history to others", () => {
    assert.deepEqual(
      configChanges(settings({}, { history: [] }), settings({}, { history: [{ created_by: "x" }] })),
      [],
    );
  });
});
