import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type BuildEvent, build, type CheckOptions, check, push } from "../../../src/index.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { GOOD, writeImage } from "../../support/images/check-image.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const APP = { "app.py": "def handler(event, context):\n    return event\n" };

/** The warnings of a check, and its findings about the base. */
async function checked(options: CheckOptions) {
  const warnings: string[] = [];
  const onEvent = (event: BuildEvent) => {
    if (event.type === "warning") warnings.push(`${event.message}; ${event.hint ?? ""}`);
  };
  const { findings } = await check({ ...options, cache: false, onEvent });
  const behind = findings.filter(({ rule }) => rule === "base-behind").map(({ message }) => message);
  return { warnings, behind };
}

describe("check of an image whose label names a registry that no user named", () => {
  let own: TestRegistry;
  let stranger: TestRegistry;
  const home = temporaryDirectory();
  before(async () => {
    own = await TestRegistry.start();
    stranger = await TestRegistry.start({ auth: "basic" });
    const auths = { [stranger.host]: { auth: Buffer.from("user:password").toString("base64") } };
    mkdirSync(join(home, ".docker"));
    writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ auths }));
    await publish("app", stranger.host);
    await publish("beside", own.host);
    await publish("nowhere", "0.0.0.0:1");
  });
  after(() => Promise.all([own.stop(), stranger.stop()]));

  const publish = (repository: string, baseHost: string) =>
    build({
      ...common(),
      directory: makeTree(APP),
      base: "scratch",
      cmd: ["app.handler"],
      to: `${own.host}/${repository}:v1`,
      check: false,
      label: {
        "org.opencontainers.image.base.name": `${baseHost}/base:1`,
        "org.opencontainers.image.base.digest": `sha256:${"0".repeat(64)}`,
      },
    });
  const common = () => ({ cache: false, environment: { HOME: home } });
  const image = (repository: string) => ({ ...common(), source: `${own.host}/${repository}:v1` });

  it("check of an image whose label names a registry that no user named does not contact it unless --ask-base is given", async () => {
    const { warnings } = await checked(image("app"));
    assert.deepEqual([warnings, stranger.requests], [[], []]);
  });

  it("asks it with --ask-base, without the credentials stored for it, and repeats none of its words", async () => {
    const { warnings } = await checked({ ...image("app"), askBase: true });
    assert.notEqual(stranger.requests.length, 0);
    assert.deepEqual(
      stranger.requests.filter(({ headers }) => headers.authorization !== undefined),
      [],
    );
    const known = `cannot tell whether ${stranger.host}/base:1 has moved since: its registry answered with `;
    const hint = "only the image names this registry: it is asked without credentials";
    assert.deepEqual(
      warnings.map((warning) => warning.replace(/[A-Z_]+;/, "CODE;")),
      [`${known}CODE; ${hint}`],
    );
  });

  it("asks the registry that the image is in", async () => {
    const { warnings } = await checked(image("beside"));
    assert.match(warnings.join("\n"), /its registry answered with [A-Z_]+_NOT_FOUND/);
    assert.equal(
      own.requests.some(({ repository }) => repository === "base"),
      true,
    );
  });

  it("refuses an unspecified address, and for an image on this machine a loopback one", async () => {
    const { warnings } = await checked({ ...image("nowhere"), askBase: true });
    assert.match(
      warnings.join("\n"),
      /^cannot tell whether 0\.0\.0\.0:1\/base:1 .* answered with REGISTRY_ANSWER/,
    );
    const copy = `oci:${join(home, "copy")}`;
    await push({ ...common(), source: image("app").source, to: copy });
    const before = stranger.requests.length;
    const local = await checked({ ...common(), source: copy, askBase: true });
    assert.match(local.warnings.join("\n"), /\/base:1 has moved .* answered with REGISTRY_ANSWER/);
    assert.equal(stranger.requests.length, before);
  });
});

describe("whether the base has moved since", () => {
  let registry: TestRegistry;
  let directory: string;
  before(async () => {
    registry = await TestRegistry.start();
    await publishBase(registry, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
    directory = makeTree(APP);
    for (const to of [image(), layout()]) await build({ ...common(), directory, base: "python:3.12", to });
  });
  after(() => registry.stop());

  const home = temporaryDirectory();
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
    /^the image was built on public\.ecr\.aws\/lambda\/python:3\.12 when that was sha256:[0-9a-f]{12}; now it is sha256:[0-9a-f]{12}$/;

  it("whether the base has moved since is not a finding while its tag names it", async () => {
    assert.deepEqual([await found(image()), await found(layout(), { askBase: true })], [[], []]);
  });

  it("whether the base has moved since is told of an image in a registry, of another if it is asked for, and never offline or if the rule is allowed", async () => {
    await move();
    assert.match((await found(image()))[0] ?? "", moved);
    assert.match((await found(layout(), { askBase: true }))[0] ?? "", moved);
    assert.deepEqual(await found(layout()), []);
    assert.deepEqual(await found(layout(), { askBase: true, offline: true }), []);
    assert.deepEqual(await found(image(), { allow: ["base-behind"] }), []);
  });

  it("whether the base has moved since is told of a directory whose lock holds the base, where it is asked for", async () => {
    const locked = makeTree(APP);
    const to = `oci:${join(home, "locked")}`;
    await build({ ...common(), directory: locked, base: "python:3.12", to, lock: true });
    const asked = () => found(locked, { base: "python:3.12", askBase: true });
    assert.deepEqual(await asked(), []);
    await publishBase(registry, "lambda/python", "3.12", lambdaBase("arm64"), lambdaBase("x86_64"));
    assert.match((await asked())[0] ?? "", /^the image was built on .*; now it is sha256:.* in sha256:/);
  });

  it("whether the base has moved since is a warning where it was asked for, and the image names no base", async () => {
    const events: BuildEvent[] = [];
    const source = await writeImage(GOOD);
    await check({ ...common(), source, askBase: true, onEvent: (event) => void events.push(event) });
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    assert.match(
      warnings.join("\n"),
      /^cannot tell whether the base has moved: the image does not name its base/,
    );
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
    assert.match(warnings.join("\n"), /whether public\.ecr\.aws\/lambda\/python:3\.12 has moved since: /);
  });
});
