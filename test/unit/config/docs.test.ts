import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseConfig } from "../../../src/commands/config/parse.ts";
import { CONFIG_TABLE, FUNCTION_TABLE } from "../../../src/commands/config/table.ts";

describe("docs/config.md", () => {
  it("docs/config.md has an example that is valid", () => {
    const page = readFileSync(new URL("../../../docs/config.md", import.meta.url), "utf8");
    const [, example = ""] = /```jsonc\n(.*?)```/s.exec(page) ?? [];
    const { functions } = parseConfig(example, "docs/config.md", {
      defaults: CONFIG_TABLE,
      functions: FUNCTION_TABLE,
    });
    assert.deepEqual([...functions.keys()], ["api", "worker", "report"]);
  });
});
