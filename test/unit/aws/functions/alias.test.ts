import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DesiredFunction } from "../../../../src/aws/functions/deploy-context.ts";
import { planFunction } from "../../../../src/aws/functions/deploy-function.ts";
import { findFunction } from "../../../../src/aws/functions/functions.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { PLACE, stage } from "../../../support/aws/stage.ts";

const on = stage();
const { desiredFor, deploy, changes } = on;

/** Version and weights of the alias live. */
function alias(): readonly unknown[] {
  const found = on.plane.lambda.function("f")?.aliases.get("live");
  const { AdditionalVersionWeights } = (found?.["RoutingConfig"] ?? {}) as {
    readonly AdditionalVersionWeights?: unknown;
  };
  return [found?.["FunctionVersion"], AdditionalVersionWeights ?? {}];
}

type Wished = Pick<DesiredFunction, "publish" | "alias" | "warm">;

const live = (weight?: number) => ({ name: "live", ...(weight !== undefined && { weight }) });

interface Case {
  readonly title: string;
  /** Deploys before, each of an image of its own unless it has the same text. */
  readonly before: readonly (readonly [text: string, desired: Partial<Wished>])[];
  readonly desired: Partial<Wished>;
  /** The image; default: a new one. */
  readonly text?: string;
  readonly changes: readonly string[];
  /** Version and weights of the alias live afterwards. */
  readonly alias: readonly unknown[];
  readonly invoked?: readonly string[];
}

const NONE = [undefined, {}] as const;
const V1 = [["first", { alias: live() }]] as const;

const CASES: readonly Case[] = [
  {
    title: "nothing asked: the function alone",
    before: V1,
    desired: {},
    changes: ["UpdateFunctionCode"],
    alias: ["1", {}],
  },
  {
    title: "--publish: a version, and no alias",
    before: [["first", {}]],
    desired: { publish: true },
    changes: ["UpdateFunctionCode", "PublishVersion"],
    alias: NONE,
  },
  {
    title: "--publish twice: one version",
    before: [["new", { publish: true }]],
    desired: { publish: true },
    changes: [],
    alias: NONE,
  },
  {
    title: "--warm: the function itself is called",
    before: [["first", {}]],
    desired: { warm: true },
    changes: ["UpdateFunctionCode", "Invoke"],
    alias: NONE,
    invoked: ["f:$LATEST"],
  },
  {
    title: "--warm of what runs already: nothing is called",
    before: [["new", {}]],
    desired: { warm: true },
    changes: [],
    alias: NONE,
  },
  {
    title: "--publish --warm: the version is called",
    before: V1,
    desired: { publish: true, warm: true },
    changes: ["UpdateFunctionCode", "PublishVersion", "Invoke"],
    alias: ["1", {}],
    invoked: ["f:2"],
  },
  {
    title: "--alias: it moves",
    before: V1,
    desired: { alias: live() },
    changes: ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"],
    alias: ["2", {}],
  },
  {
    title: "--alias of a version that was published before: only the alias is made",
    before: [["new", { publish: true }]],
    desired: { alias: live() },
    changes: ["CreateAlias"],
    alias: ["1", {}],
  },
  {
    title: "--alias --weight: a part moves",
    before: V1,
    desired: { alias: live(0.25) },
    changes: ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"],
    alias: ["1", { "2": 0.25 }],
  },
  {
    title: "--alias --weight where there is no alias yet: all goes to the new version",
    before: [],
    desired: { alias: live(0.25) },
    changes: ["CreateFunction", "PublishVersion", "CreateAlias"],
    alias: ["1", {}],
  },
  {
    title: "--alias --weight --warm: called, then a part moves",
    before: V1,
    desired: { alias: live(0.25), warm: true },
    changes: ["UpdateFunctionCode", "PublishVersion", "Invoke", "UpdateAlias"],
    alias: ["1", { "2": 0.25 }],
    invoked: ["f:2"],
  },
  {
    title: "a larger weight: only the alias changes",
    before: [...V1, ["new", { alias: live(0.1) }]],
    desired: { alias: live(0.5) },
    changes: ["UpdateAlias"],
    alias: ["1", { "2": 0.5 }],
  },
  {
    title: "the same weight: nothing changes",
    before: [...V1, ["new", { alias: live(0.1) }]],
    desired: { alias: live(0.1) },
    changes: [],
    alias: ["1", { "2": 0.1 }],
  },
  {
    title: "the rest of a shift: the alias moves as a whole",
    before: [...V1, ["new", { alias: live(0.1) }]],
    desired: { alias: live() },
    changes: ["UpdateAlias"],
    alias: ["2", {}],
  },
  {
    title: "a third image in the middle of a shift: it takes the place of the second",
    before: [...V1, ["second", { alias: live(0.1) }]],
    desired: { alias: live(0.2) },
    changes: ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"],
    alias: ["1", { "3": 0.2 }],
  },
  {
    title: "back to the first image in the middle of a shift: a version like it, with all calls",
    before: [...V1, ["second", { alias: live(0.1) }]],
    text: "first",
    desired: { alias: live() },
    changes: ["UpdateFunctionCode", "PublishVersion", "UpdateAlias"],
    alias: ["3", {}],
  },
];

async function prepared({ before, text = "new", desired }: Case): Promise<DesiredFunction> {
  for (const [earlier, more] of before)
    await deploy(desiredFor(earlier, { ...more, publish: more.publish ?? more.alias !== undefined }));
  on.plane.lambda.invoked.length = 0;
  changes();
  return desiredFor(text, { ...desired, publish: desired.publish ?? desired.alias !== undefined });
}

describe("a deploy with", () => {
  for (const one of CASES) {
    it(`${one.title}, as the dry run says before, and nothing when it is run again`, async () => {
      const desired = await prepared(one);
      const opened = openedApi(on.plane);
      const planned = await planFunction(opened.api, PLACE, desired, await findFunction(opened.api, PLACE));
      assert.deepEqual(changes(), [], "the dry run changes nothing");
      assert.deepEqual((await deploy(desired, opened)).steps, planned.steps);
      assert.deepEqual(changes(), one.changes);
      assert.deepEqual(alias(), one.alias);
      assert.deepEqual(on.plane.lambda.invoked, one.invoked ?? []);
      assert.deepEqual(
        [(await deploy(desired, opened)).steps, changes()],
        [[], []],
        "a second time there is nothing to do",
      );
    });
  }
});
