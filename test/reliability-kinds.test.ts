import assert from "node:assert/strict";
import { it } from "node:test";
import { KINDS } from "./support/reliability/kinds.ts";

for (const on of ["ecr", "plain"] as const) {
  it(`there are at least 45 kinds of fault that pass at ${on}`, () => {
    const passing = KINDS.filter(({ only, final }) => (only ?? on) === on && final === undefined);
    assert.ok(passing.length >= 45, `${passing.length}`);
  });
}
