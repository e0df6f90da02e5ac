import "../../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { newestTag } from "../../../../src/aws/ecr/images.ts";
import { type BuildEvent, build } from "../../../../src/index.ts";
import { type ControlPlane, controlPlane, openedApi } from "../../../support/aws/control-plane.ts";
import { keepingHouse, setPushedAt } from "../../../support/aws/ecr-operations.ts";
import { placeImage } from "../../../support/aws/images.ts";
import { type EcrWorld, ecrWorld } from "../../../support/ecr/world.ts";
import { makeTree, temporaryDirectory } from "../../../support/trees.ts";

const APP = { name: "app", region: "eu-west-1", fips: false, dualStack: false };

describe("the newest tag of a repository on ECR", () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await controlPlane();
  });
  after(() => plane.stop());

  it("the newest tag of a repository on ECR is that of the image that was pushed last, on whatever page it is", async () => {
    const times = [5, 30, 10, 20, 40, 7, 8];
    for (const [index, seconds] of times.entries()) {
      const { digest } = placeImage(plane.ecr, `image ${index}`, { tags: [`v${index}`] });
      setPushedAt(plane.ecr.registry().create("app"), digest, 1_700_000_000 + seconds);
    }
    const { api } = openedApi(plane);
    assert.equal(await newestTag(api, APP), "v4");
    await api.close();
  });

  it("the newest tag of a repository on ECR is none in a repository without images", async () => {
    plane.ecr.registry().create("empty");
    const { api } = openedApi(plane);
    assert.equal(await newestTag(api, { ...APP, name: "empty" }), undefined);
    await api.close();
  });
});

describe("a build to ECR under a new tag", () => {
  let world: EcrWorld;
  before(async () => {
    world = await ecrWorld();
    world.ecr.repository("app");
  });
  after(() => world.stop());

  async function buildTo(
    tag: string,
  ): Promise<readonly (readonly [how: string, from: string | undefined])[]> {
    const found: (readonly [string, string | undefined])[] = [];
    const onEvent = (event: BuildEvent) => {
      if (event.type === "layer-ready") found.push([event.how, event.from]);
    };
    await build({
      check: false,
      directory: makeTree({ "index.mjs": "export const handler = async () => 1;\n" }),
      base: "scratch",
      to: `${world.registry}/app:${tag}`,
      cacheDir: join(temporaryDirectory(), "cache"),
      environment: world.environment,
      onEvent,
    });
    return found;
  }

  it("from a fresh machine takes the layers of the image that was pushed last", async () => {
    Object.assign(world.api.more, keepingHouse);
    await buildTo("v1");
    assert.deepEqual(await buildTo("v2"), [["reused", `${world.registry}/app:v1`]]);
  });

  it("packs them, and says nothing, if images may not be listed", async () => {
    Object.assign(world.api.more, {
      DescribeImages: () => ({ error: "AccessDeniedException", message: "not authorized" }),
    });
    assert.deepEqual(await buildTo("v3"), [["built", undefined]]);
  });
});
