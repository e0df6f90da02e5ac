import assert from "node:assert/strict";
import { it } from "node:test";
import { KINDS } from "../../support/reliability/kinds.ts";
import { coverOf, missingTests, ROWS } from "../../support/reliability/rows.ts";

for (const on of ["ecr", "plain"] as const) {
  it(`there are at least 45 kinds of fault that pass at ${on}`, () => {
    const passing = KINDS.filter(({ only, final }) => (only ?? on) === on && final === undefined);
    assert.ok(passing.length >= 45, `${passing.length}`);
  });
}

it("the list of failure modes has every row from 1 to 50 and from 75 to 80", () => {
  const wanted = [...Array.from({ length: 50 }, (_, index) => index + 1), 75, 76, 77, 78, 79, 80];
  assert.deepEqual(
    ROWS.map(({ row }) => row),
    wanted,
  );
});

for (const row of ROWS) {
  it(`failure mode ${row.row} is met: ${row.what}`, () => {
    assert.ok(coverOf(row).length > 0);
    assert.deepEqual(missingTests(row), []);
  });
}
