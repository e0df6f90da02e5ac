import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DesiredFunction } from "../../../../src/aws/functions/deploy-context.ts";
import { deployFunction } from "../../../../src/aws/functions/deploy-function.ts";
import { factsOf } from "../../../../src/aws/functions/function-facts.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { clearLambda, failure, PLACE, ROLE, stage } from "../../../support/aws/stage.ts";

const on = stage();
const { desiredFor } = on;

interface Scene {
  readonly title: string;
  /** How the world was before. */
  readonly prepare: () => Promise<unknown>;
  readonly desired: () => DesiredFunction;
  /** What is changed when nothing comes in between. */
  readonly changes: readonly string[];
  /** Those that a second run may make once more: a call of the function, and an update that Lambda refuses. */
  readonly again: readonly string[];
}

const live = { publish: true, alias: { name: "live" } };

const SCENES: readonly Scene[] = [
  {
    title: "that makes a function with a version, a call and an alias",
    prepare: async () => {},
    desired: () => desiredFor("first", { ...live, warm: true }),
    changes: ["CreateFunction", "PublishVersion", "Invoke", "CreateAlias"],
    again: ["Invoke"],
  },
  {
    title: "that changes code and settings and shifts a part of an alias",
    prepare: () => on.deploy(desiredFor("first", live)),
    desired: () =>
      desiredFor("second", {
        ...live,
        alias: { name: "live", weight: 0.1 },
        settings: { memory: 512, env: { A: "1" } },
        warm: true,
      }),
    changes: ["UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion", "Invoke", "UpdateAlias"],
    again: ["Invoke"],
  },
  {
    title: "that deletes a function whose creation failed, and creates it again",
    prepare: () => {
      on.plane.lambda.outcomes.push({ status: "bad", code: "InvalidImage" });
      return failure(on.deploy(desiredFor("first")));
    },
    desired: () => desiredFor("second", { ...live, settings: { role: ROLE, memory: 512 } }),
    changes: ["UpdateFunctionCode", "DeleteFunction", "CreateFunction", "PublishVersion", "CreateAlias"],
    again: ["UpdateFunctionCode"],
  },
];

/** All of a function that users see. */
function state(): object {
  const found = on.plane.lambda.function("f");
  assert.ok(found);
  const qualifiers = ["$LATEST", ...found.versions.map(({ version }) => version)];
  const versions = qualifiers.map((one) => {
    const Configuration = found.configuration(one);
    const { revisionId: _, ...facts } = factsOf({ ...(Configuration && { Configuration }) });
    return facts;
  });
  const aliases = [...found.aliases].map(([name, { RevisionId: _, ...alias }]) => [name, alias]);
  return { image: found.image, versions, aliases };
}

/** The deploy ends just before the call of this number; what it had told by then. 0: it is let through. */
async function interrupted(desired: DesiredFunction, before: number): Promise<{ readonly warnings: string }> {
  const stop = new AbortController();
  const opened = openedApi(on.plane, stop.signal);
  let calls = 0;
  on.plane.lambda.origin.fault = () => {
    calls += 1;
    if (calls !== before) return undefined;
    stop.abort(new Error("the runner is gone"));
    return { do: "drop", when: "before-reading" };
  };
  await deployFunction(opened.api, PLACE, desired).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  on.plane.lambda.origin.fault = () => undefined;
  return { warnings: JSON.stringify(opened.events.filter(({ type }) => type === "warning")) };
}

describe("a deploy", () => {
  for (const { title, prepare, desired, changes, again } of SCENES) {
    it(`${title} is finished by the next run, before whichever call it was interrupted`, async () => {
      await prepare();
      const prepared = on.plane.lambda.function("f")?.copy();
      on.changes();
      await interrupted(desired(), 0);
      const calls = [...on.plane.lambda.calls];
      const wanted = state();
      assert.deepEqual(on.changes(), changes);

      for (let before = 1; before <= calls.length; before += 1) {
        const point = `before call ${before}, ${calls[before - 1]}`;
        clearLambda(on.plane.lambda);
        if (prepared) on.plane.lambda.functions.set(`${PLACE.region}/f`, prepared.copy());
        const made: string[] = [];
        on.plane.lambda.before = (operation) => void made.push(operation);
        await interrupted(desired(), before);
        await on.deploy(desired());
        assert.deepEqual(state(), wanted, point);
        const once = made.filter((call) => changes.includes(call) && !again.includes(call));
        assert.deepEqual(
          once,
          changes.filter((call) => !again.includes(call)),
          point,
        );
        assert.deepEqual((await on.deploy(desired())).steps, [], `${point}: a third run has nothing to do`);
      }
    });
  }

  it("that is interrupted says what goes on by itself, if something does", async () => {
    const desired = desiredFor("first", { ...live, warm: true });
    assert.equal((await interrupted(desired, 1)).warnings, "[]", "nothing was changed yet");
    const { warnings } = await interrupted(desired, 4);
    assert.match(
      warnings,
      /f in eu-west-1: AWS has accepted the request to create the function, and continues with it/,
    );
    assert.match(warnings, /lambda-pack status f --region eu-west-1 --wait/);
  });

  it("that is interrupted between deleting and creating says what the function had", async () => {
    const [, , scene] = SCENES;
    assert.ok(scene);
    await scene.prepare();
    on.plane.lambda.plainOrigin.log.length = 0;
    await interrupted(scene.desired(), 0);
    const creation = on.plane.lambda.calls.indexOf("CreateFunction") + 1;
    clearLambda(on.plane.lambda);
    await scene.prepare();
    const { warnings } = await interrupted(scene.desired(), creation);
    assert.match(warnings, /f in eu-west-1 was deleted to be created again.*--role .* --memory 512/);
  });
});
