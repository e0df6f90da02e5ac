import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { lineOf } from "../../../src/cli/report/lines.ts";
import { Tally } from "../../../src/cli/report/tally.ts";
import { terminalReporter } from "../../../src/cli/report/terminal.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { screen } from "../../support/cli/cli.ts";

const URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";
const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders";
const orders = { function: "orders", region: "eu-west-1" };
const billing = { function: "billing", region: "eu-central-1" };

/** Lines that stay, one for each event that is worth one. */
function lines(...events: readonly BuildEvent[]): readonly string[] {
  const tally = new Tally();
  return events.flatMap((event) => {
    tally.add(event, 0);
    const line = lineOf(event, tally, false);
    return line ? `${line.label} ${line.text}` : [];
  });
}

/** Several functions, as they come. */
const MANY: readonly BuildEvent[] = [
  { type: "function-step", ...orders, what: "update the code", planned: false },
  { type: "function-step", ...billing, what: "create the function", planned: false },
  { type: "function-state", ...billing, state: "Pending", reason: "The function is being created." },
  { type: "function-done", ...orders, how: "updated", text: `${ARN}:3`, version: "3", steps: 2 },
  { type: "function-done", ...billing, how: "failed", text: "no", code: "FUNCTION_FAILED" },
];

describe("a line about functions", () => {
  it("a line about functions has its columns under those of the others, and the table at the end no ARN", () => {
    assert.deepEqual(lines(...MANY), [
      "lambda orders eu-west-1  update the code",
      "lambda billing eu-central-1  create the function",
      "lambda billing eu-central-1  Pending: The function is being created.",
      "result orders eu-west-1      updated    version 3",
      "result billing eu-central-1  failed     FUNCTION_FAILED",
    ]);
  });

  it("says at the end of a dry run how much there is to do", () => {
    const planned = { type: "function-done", ...orders, how: "planned", text: ARN } as const;
    assert.deepEqual(lines({ ...planned, steps: 0 }, { ...planned, steps: 1 }, { ...planned, steps: 3 }), [
      "result orders eu-west-1  planned    nothing to change",
      "result orders eu-west-1  planned    1 change",
      "result orders eu-west-1  planned    3 changes",
    ]);
  });

  it("ends with how it went if no version was published", () => {
    const done = { type: "function-done", ...orders, how: "unchanged", text: ARN, steps: 0 } as const;
    assert.deepEqual(lines(done), ["result orders eu-west-1  unchanged"]);
  });
});

describe("a line about a repository", () => {
  it("says what came of its settings", () => {
    assert.deepEqual(lines({ type: "repository-note", repository: URI, what: "the policy was written" }), [
      "repo the policy was written",
    ]);
  });

  for (const [images, planned, says] of [
    [0, true, "nothing to delete, 2 used, 5 kept"],
    [3, true, "3 images unused (3.0 kB), 2 used, 5 kept; --yes deletes what is unused"],
    [1, false, "1 image deleted (1.0 kB), 2 used, 5 kept"],
    [0, false, "nothing to delete, 2 used, 5 kept"],
  ] as const) {
    it(`says: ${says}`, () => {
      const pruned = {
        type: "images-pruned",
        repository: URI,
        attached: 0,
        used: 2,
        kept: 5,
        planned,
      } as const;
      assert.deepEqual(lines({ ...pruned, images, size: images * 1000 }), [`result ${says}`]);
    });
  }
});

for (const columns of [40, 80]) {
  describe(`on a terminal of ${columns} columns`, () => {
    it("the rows of the table come one under the other, and what is under way fits into one line", async () => {
      const stderr = screen(columns);
      const reporter = await terminalReporter({ stderr, environment: {}, now: () => 0 }, false);
      for (const event of MANY) reporter.event(event);
      reporter.close();
      const text = stripVTControlCharacters(stderr.text()).split(/[\r\n]+/);
      const rows = text
        .slice(text.findIndex((line) => line.startsWith("result")))
        .filter((line) => /^(?:result| {8})/.test(line));
      assert.ok(
        rows.every((line) => line.length <= columns),
        rows.join("\n"),
      );
      assert.equal(
        rows.join(" ").replace(/ +/g, " "),
        "result orders eu-west-1 updated version 3 result billing eu-central-1 failed FUNCTION_FAILED",
      );
      const live = text.filter((line) => /^[^\w\s] /.test(line));
      assert.ok(
        live.every((line) => line.length < columns),
        live.join("\n"),
      );
    });
  });
}
