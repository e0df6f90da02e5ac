import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { desiredState } from "../../../../src/commands/deploy/desired-state.ts";
import { DEPLOY_OPTIONS, type FunctionOptions } from "../../../../src/commands/deploy/options.ts";
import { readOptions } from "../../../../src/commands/options/read.ts";
import { createRepository } from "../../../../src/commands/repo.ts";
import { createdWith } from "../../../support/aws/ecr-operations.ts";
import { ROLE, stage } from "../../../support/aws/stage.ts";

const on = stage();

/** How the function is to be, from the options of a deploy. */
function desired(options: FunctionOptions) {
  const { imageUri, digest, architecture } = on.desiredFor();
  const values = readOptions("deploy", DEPLOY_OPTIONS, {
    source: "app",
    function: "f",
    role: ROLE,
    ...options,
  });
  return desiredState(values, { imageUri, digest, architecture });
}

const imageConfig = () => on.plane.lambda.function("f")?.config["ImageConfigResponse"];

describe("an override of the image's own settings", () => {
  it("--cmd default removes the override of CMD and keeps the others", async () => {
    await on.deploy(desired({ cmd: ["app.other"], entrypoint: ["/boot"], workdir: "/srv" }));
    const { how } = await on.deploy(desired({ cmd: ["default"] }));
    assert.equal(how, "updated");
    assert.deepEqual(imageConfig(), { ImageConfig: { EntryPoint: ["/boot"], WorkingDirectory: "/srv" } });
  });

  it("--cmd, --entrypoint and --workdir default remove every override, and a second time nothing", async () => {
    await on.deploy(desired({ cmd: ["app.other"], entrypoint: ["/boot"], workdir: "/srv" }));
    const defaults = { cmd: ["default"], entrypoint: ["default"], workdir: "default" };
    await on.deploy(desired(defaults));
    assert.deepEqual(imageConfig(), { ImageConfig: {} });
    on.changes();
    assert.equal((await on.deploy(desired(defaults))).how, "unchanged");
    assert.deepEqual(on.changes(), []);
  });

  it("--cmd default leaves a new function without an override", async () => {
    await on.deploy(desired({ cmd: ["default"] }));
    assert.equal(imageConfig(), undefined);
  });
});

describe("--resource-tag of deploy", () => {
  it("tags a function that is created", async () => {
    await on.deploy(desired({ resourceTag: { team: "a" } }));
    assert.deepEqual(on.plane.lambda.function("f")?.tags, { team: "a" });
  });

  it("adds to the tags of a function that exists, once", async () => {
    await on.deploy(desired({ resourceTag: { team: "a", stage: "test" } }));
    on.changes();
    const { how } = await on.deploy(desired({ resourceTag: { team: "b" } }));
    assert.equal(how, "updated");
    assert.deepEqual(on.plane.lambda.function("f")?.tags, { team: "b", stage: "test" });
    assert.deepEqual(on.changes(), ["TagResource"]);
    assert.equal((await on.deploy(desired({ resourceTag: { team: "b" } }))).how, "unchanged");
  });
});

describe("repo create", () => {
  /** What ECR was sent for it. */
  async function sent(options: object): Promise<Readonly<Record<string, unknown>>> {
    const { environment } = on.plane;
    await createRepository({ repository: "team/app", environment, ...options });
    return createdWith(on.plane.ecr.repository("team/app"));
  }

  it("--movable-tag makes all tags immutable but those that match", async () => {
    const { imageTagMutability, imageTagMutabilityExclusionFilters } = await sent({
      movableTag: ["dev-*", "latest"],
    });
    assert.equal(imageTagMutability, "IMMUTABLE_WITH_EXCLUSION");
    assert.deepEqual(imageTagMutabilityExclusionFilters, [
      { filterType: "WILDCARD", filter: "dev-*" },
      { filterType: "WILDCARD", filter: "latest" },
    ]);
  });

  it("--resource-tag tags the repository", async () => {
    assert.deepEqual((await sent({ resourceTag: { team: "a" } }))["tags"], [{ Key: "team", Value: "a" }]);
  });

  it("--movable-tag together with --mutable-tags is refused before AWS is asked", async () => {
    await assert.rejects(sent({ movableTag: ["dev-*"], mutableTags: true }), {
      code: "USAGE",
      message: /--movable-tag has no effect/,
    });
    assert.equal(on.plane.ecrApi.plainOrigin.log.length, 0);
  });
});
