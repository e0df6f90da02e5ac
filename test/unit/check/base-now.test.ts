import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, build, type CheckOptions, check } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/base.ts";
import { GOOD, writeImage } from "../../support/check-image.ts";
import { TestRegistry } from "../../support/registry.ts";
import { makeTree, temporaryFolder } from "../../support/trees.ts";

const APP = { "app.py": "def handler(event, context):\n    return event\n" };

describe("whether the base has moved since", () => {
  let registry: TestRegistry;
  let folder: string;
  before(async () => {
    registry = await TestRegistry.start();
    await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
    folder = makeTree(APP);
    for (const to of [image(), layout()])
      await build({ ...common(), directory: folder, base: "python:3.12", to });
  });
  after(() => registry.stop());

  const home = temporaryFolder();
  const image = () => `${registry.host}/app:v1`;
  const layout = () => `oci:${join(home, "out")}:v1`;
  const common = () => ({
    cache: false,
    environment: { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/lambda`, HOME: home },
  });
  const move = () => publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64", "oci"));
  const found = async (source: string, more: Partial<CheckOptions> = {}) => {
    const { findings } = await check({ ...common(), source, ...more });
    return findings.filter(({ rule }) => rule === "base-behind").map(({ message }) => message);
  };
  const moved =
    /^built on public\.ecr\.aws\/lambda\/python:3\.12 as it was \(sha256:[0-9a-f]{12}\); it is another one now \(sha256:[0-9a-f]{12}\)$/;

  it("is no finding while its tag names it", async () => {
    assert.deepEqual([await found(image()), await found(layout(), { askBase: true })], [[], []]);
  });

  it("is told of an image in a registry, of another where it is asked for, and never offline or where the rule is allowed", async () => {
    await move();
    assert.match((await found(image()))[0] ?? "", moved);
    assert.match((await found(layout(), { askBase: true }))[0] ?? "", moved);
    assert.deepEqual(await found(layout()), []);
    assert.deepEqual(await found(layout(), { askBase: true, offline: true }), []);
    assert.deepEqual(await found(image(), { allow: ["base-behind"] }), []);
  });

  it("is told of a folder whose lock holds the base, where it is asked for", async () => {
    const locked = makeTree(APP);
    const to = `oci:${join(home, "locked")}`;
    await build({ ...common(), directory: locked, base: "python:3.12", to, lock: true });
    const asked = () => found(locked, { base: "python:3.12", askBase: true });
    assert.deepEqual(await asked(), []);
    await publishBase(registry, "lambda/python", "3.12", lambdaBase("arm64"), lambdaBase("x86_64"));
    assert.match((await asked())[0] ?? "", /^built on .*; it is another one now \(sha256:.*, in sha256:/);
  });

  it("is a warning where it was asked for, and the image names no base", async () => {
    const events: BuildEvent[] = [];
    const source = await writeImage(GOOD);
    await check({ ...common(), source, askBase: true, onEvent: (event) => void events.push(event) });
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.match(warnings.join("\n"), /^whether its base has moved cannot be told: the image names none/);
  });

  it("that cannot be told is a warning, and the rest is checked", async () => {
    const events: BuildEvent[] = [];
    const environment = { LAMBDA_PACK_BASE_REGISTRY: `${registry.host}/elsewhere`, HOME: home };
    const options = {
      source: image(),
      cache: false,
      environment,
      onEvent: (event: BuildEvent) => void events.push(event),
    };
    const { findings } = await check(options);
    assert.deepEqual(
      findings.filter(({ rule }) => rule === "base-behind"),
      [],
    );
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.match(
      warnings.join("\n"),
      /whether public\.ecr\.aws\/lambda\/python:3\.12 has moved since cannot be told: /,
    );
  });
});
