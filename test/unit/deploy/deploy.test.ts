import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { deployPaced } from "../../../src/commands/deploy/deploy.ts";
import type { BuildEvent } from "../../../src/events.ts";
import { build, DeployError, type Deployment, type DeployOptions, deploy, push } from "../../../src/index.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { failing } from "../../support/ecr/http/faults.ts";
import { startInWorld } from "../../support/ecr/run.ts";
import { lambdaBase, publishBase } from "../../support/images/base.ts";
import { TestRegistry } from "../../support/registry/registry.ts";
import { testPacing } from "../../support/registry/repository.ts";

const ROLE = "arn:aws:iam::123456789012:role/f";
const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const app = mkdtempSync(join(tmpdir(), "lambda-pack-deploy-"));

let world: AwsWorld;
let base: TestRegistry;
let layout: string;
before(async () => {
  writeFileSync(join(app, "app.py"), "def handler(event, context):\n    return event\n");
  base = await TestRegistry.start();
  await publishBase(base, "lambda/python", "3.12", lambdaBase("x86_64"), lambdaBase("arm64"));
  world = await awsWorld();
  layout = `oci:${join(world.directory, "layout")}:v1`;
  await build({ directory: app, base: "python:3.12", to: layout, environment: environment() });
});
afterEach(() => {
  const { lambda, ecr, api } = world;
  for (const region of ["eu-west-1", "us-east-1"]) ecr.registry("123456789012", region).repositories.clear();
  lambda.functions.clear();
  lambda.outcomes.length = 0;
  lambda.denied.clear();
  lambda.before = () => {};
  Object.assign(lambda, { looks: 1 });
  for (const { log } of [lambda.origin, lambda.plainOrigin, api.origin, ecr.origin]) log.length = 0;
  ecr.denied.clear();
  ecr.fault = () => undefined;
  ecr.quirks.createOnPush = [];
  base.requests.length = 0;
});
after(async () => {
  await world?.stop();
  await base?.stop();
  rmSync(app, { recursive: true, force: true });
});

function environment(more: Readonly<Record<string, string | undefined>> = {}) {
  return { ...world.environment, LAMBDA_PACK_BASE_REGISTRY: `${base.host}/lambda`, ...more };
}

interface Told {
  readonly events: BuildEvent[];
}

function options(more: Partial<DeployOptions> = {}): DeployOptions & Told {
  const events: BuildEvent[] = [];
  return {
    source: layout,
    function: "app",
    role: ROLE,
    createRepo: true,
    environment: environment(),
    onEvent: (event) => void events.push(event),
    events,
    ...more,
  };
}

/** `events` is for the test and no option. */
const without = ({ events: _, ...given }: DeployOptions & Partial<Told>): DeployOptions => given;

const run = (given: DeployOptions) => deployPaced(without(given), testPacing());

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  try {
    await work;
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error("it did not fail");
}

/** ECR's registry, as long as it does not know a repository that its API has created. */
function unknownRepository(times: number) {
  const body = JSON.stringify({
    errors: [{ code: "NAME_UNKNOWN", message: "The repository with name 'app' does not exist" }],
  });
  return failing("start-upload", { do: "answer", status: 404, headers: {}, body }, { times });
}

const writes = () => world.ecr.log.filter(({ method }) => /POST|PUT|PATCH/.test(method));

const howOf = (deployments: readonly Deployment[]) =>
  deployments.map(({ function: name, region, how }) => `${name} ${region} ${how}`);

describe("deploy", () => {
  it("takes an image that is in ECR already by its digest, and sends no blob", async () => {
    world.ecr.repository("app");
    const pushed = await push({ source: layout, to: `${HOST}/app:v1`, environment: environment() });
    const blobs = writes().length;
    const result = await run(options({ source: `${HOST}/app:v1`, createRepo: false }));
    assert.equal(result.images[0], pushed.reference);
    assert.equal(world.lambda.function("app")?.image, pushed.reference);
    assert.deepEqual(
      writes()
        .slice(blobs)
        .map(({ kind }) => kind),
      ["put-manifest"],
      "the tag that keeps it from expiring",
    );
  });

  it("gives the image a tag that keeps it from expiring", async () => {
    const { digest } = await run(options());
    assert.deepEqual([...world.ecr.repository("app").tags.keys()].sort(), [
      `lambda-${digest.slice(7, 19)}`,
      "v1",
    ]);
  });

  it("goes on where that tag is not allowed, and says so", async () => {
    world.ecr.repository("app");
    await push({ source: layout, to: `${HOST}/app:v1`, environment: environment() });
    world.ecr.denied.add("ecr:PutImage");
    const given = options({ source: `${HOST}/app:v1`, createRepo: false });
    await run(given);
    assert.match(JSON.stringify(given.events), /gets no tag that keeps it from expiring.*ecr:PutImage/);
  });

  it("takes from an index what the function's architecture wants", async () => {
    await run(
      options({
        source: "python:3.12".replace("python", `${base.host}/lambda/python`),
        arch: "arm64",
      }),
    );
    assert.deepEqual(world.lambda.function("app")?.config["Architectures"], ["arm64"]);
    assert.equal([...world.ecr.repository("app").manifests.values()].length, 1);
  });

  it("builds a directory for the architecture that the function has", async () => {
    await run(options({ arch: "arm64", source: app, base: "python:3.12" }));
    const again = await run(options({ source: app, base: "python:3.12" }));
    assert.equal(again.platform, "linux/arm64");
    assert.deepEqual(howOf(again.deployments), ["app eu-west-1 unchanged"]);
  });

  it("on a fresh runner takes the layers of a directory from the image in ECR", async () => {
    const fresh = (name: string) =>
      options({
        source: app,
        base: "python:3.12",
        environment: environment({ LAMBDA_PACK_CACHE_DIR: join(world.directory, name) }),
      });
    await run(fresh("runner-1"));
    const second = fresh("runner-2");
    const { deployments } = await run(second);
    const hows = second.events.flatMap((event) => (event.type === "layer-ready" ? [event.how] : []));
    assert.deepEqual([hows, howOf(deployments)], [["reused"], ["app eu-west-1 unchanged"]]);
  });

  it("puts the image where the function's images are, when nothing else is said", async () => {
    await run(options({ repo: "elsewhere" }));
    const again = await run(options({ createRepo: false }));
    assert.match(again.images[0] ?? "", /\/elsewhere@sha256:/);
  });

  it("deploy has a repository for a function whose name no repository may have", async () => {
    const result = await run(options({ function: "My_App-" }));
    assert.match(result.images[0] ?? "", /\/lambda\/my-app@/);
  });

  it("in a dry run changes nothing, and says what it would do", async () => {
    const given = options({ dryRun: true, alias: "live", warm: true, source: app, base: "python:3.12" });
    const { deployments } = await run(given);
    assert.deepEqual(deployments[0]?.how === "planned" && deployments[0].steps, [
      "create the function",
      "publish a version",
      "call version 1 once",
      "create the alias live for version 1",
    ]);
    assert.deepEqual(
      [world.lambda.changes, writes(), [...world.ecr.registry().repositories.keys()]],
      [[], [], []],
    );
    assert.equal(given.events.filter((event) => event.type === "function-step" && event.planned).length, 4);
  });

  it("in a dry run of what is so already has nothing to do", async () => {
    await run(options({ alias: "live" }));
    const { deployments } = await run(options({ dryRun: true, alias: "live" }));
    assert.deepEqual(deployments[0]?.how === "planned" && deployments[0].steps, []);
  });
});

describe("a repository that is not there", () => {
  it("a repository that is not there is said to be missing when the push finds it so", async () => {
    const error = await failure(run(options({ createRepo: false })));
    assert.equal(error.code, "REPOSITORY_NOT_FOUND");
    assert.deepEqual(world.lambda.changes, []);
  });

  it("may come to be by the push", async () => {
    world.ecr.quirks.createOnPush = ["app"];
    const { deployments } = await run(options({ createRepo: false }));
    assert.deepEqual(howOf(deployments), ["app eu-west-1 created"]);
  });

  it("deploy --create-repo pushes again when the registry does not know the new repository yet", async () => {
    world.ecr.fault = unknownRepository(2);
    const given = options();
    const { deployments } = await run(given);
    assert.deepEqual(howOf(deployments), ["app eu-west-1 created"]);
    assert.ok(given.events.some((event) => event.type === "retrying" && /new repository/.test(event.what)));
  });

  it("deploy --create-repo does not advise --create-repo when the registry never knows it", async () => {
    world.ecr.fault = unknownRepository(10_000);
    const error = await failure(run(options()));
    assert.equal(error.code, "REPOSITORY_NOT_FOUND");
    assert.doesNotMatch(error.hint, /--create-repo/);
  });

  it("a repository that is not there is created by build --create-repo, too", async () => {
    const to = `${HOST}/built:v1`;
    await build({ directory: app, base: "python:3.12", to, createRepo: true, environment: environment() });
    assert.equal(world.ecr.repository("built").immutable, true);
    assert.equal(world.ecr.repository("built").tags.has("v1"), true);
  });
});

describe("before anything is changed, deploy refuses", () => {
  const unchanged = () => assert.deepEqual([world.lambda.changes, writes()], [[], []]);

  it("a Zip function", async () => {
    await run(options());
    Object.assign(world.lambda.function("app") ?? {}, { packageType: "Zip" });
    for (const { log } of [world.lambda.plainOrigin, world.ecr.origin]) log.length = 0;
    assert.equal((await failure(run(options()))).code, "FUNCTION_UNFIT");
    unchanged();
  });

  it("a repository in another region than AWS_REGION's", async () => {
    const image = `${HOST}/app:v1`;
    const error = await failure(
      run(options({ source: image, environment: environment({ AWS_REGION: "us-east-1" }) })),
    );
    assert.equal(error.code, "FUNCTION_UNFIT");
    assert.match(error.hint, /--region eu-west-1/);
    unchanged();
  });

  it("a repository in another region than the function's ARN", async () => {
    const name = "arn:aws:lambda:us-east-1:123456789012:function:app";
    assert.equal(
      (await failure(run(options({ function: name, repo: `${HOST}/app` })))).code,
      "FUNCTION_UNFIT",
    );
    unchanged();
  });

  for (const [title, more, says] of [
    ["a repository that is not ECR's", { repo: "ghcr.io/me/app" }, /not a private Amazon ECR registry/],
    ["a repository of ECR Public", { repo: "public.ecr.aws/me/app" }, /not a private Amazon ECR registry/],
    [
      "a directory whose files tell no base",
      { source: mkdtempSync(join(app, "empty-")) },
      /cannot choose a base image/,
    ],
    ["a weight without an alias", { weight: 0.1 }, /a weight needs an alias/],
    ["a weight that is not a part", { alias: "live", weight: 1 }, /between 0 and 1/],
    ["an alias that is a number", { alias: "12" }, /not the name of an alias/],
    ["a role that is not an ARN", { role: "f" }, /not the ARN of a role/],
    ["no function", { function: [] }, /no function is given/],
    ["a function's name with a version", { function: "app:3" }, /not the name of a function/],
    ["a region that is none", { region: "Ireland" }, /not a region/],
    ["several functions without a repository", { function: ["one", "two"] }, /no repository is given/],
  ] as const) {
    it(title, async () => {
      const error = await failure(run(options(more as Partial<DeployOptions>)));
      assert.equal(error.code, "USAGE");
      assert.match(error.message, says);
      unchanged();
    });
  }

  it("a function that is not there, without a role", async () => {
    const { role: _, ...more } = options();
    assert.equal((await failure(run(more))).code, "FUNCTION_NOT_FOUND");
    unchanged();
  });
});

describe("many at once", () => {
  it("one image for several functions is sent once", async () => {
    const result = await run(options({ function: ["one", "two", "three"], repo: "shared" }));
    assert.deepEqual(howOf(result.deployments), [
      "one eu-west-1 created",
      "two eu-west-1 created",
      "three eu-west-1 created",
    ]);
    assert.equal(writes().filter(({ kind }) => kind === "put-manifest").length, 2, "one for each tag");
  });

  it("one image goes to the repository of each region, its layers read once", async () => {
    const given = options({
      source: app,
      base: "python:3.12",
      region: ["eu-west-1", "us-east-1"],
      environment: environment({ LAMBDA_PACK_CACHE_DIR: join(world.directory, "fresh-cache") }),
    });
    const result = await run(given);
    assert.deepEqual(howOf(result.deployments), ["app eu-west-1 created", "app us-east-1 created"]);
    assert.deepEqual(
      result.images.map((image) => image.split("@")[0]),
      [`${HOST}/app`, `${HOST.replace("eu-west-1", "us-east-1")}/app`],
    );
    const reads = base.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
    assert.equal(reads.length, new Set(reads.map(({ path }) => path)).size);
  });

  it("an image of one region goes, with its tag, to the repository of another that is asked for", async () => {
    world.ecr.repository("app");
    await push({ source: layout, to: `${HOST}/app:v7`, environment: environment() });
    const { images, deployments } = await run(options({ source: `${HOST}/app:v7`, region: "us-east-1" }));
    assert.deepEqual(howOf(deployments), ["app us-east-1 created"]);
    assert.match(images[0] ?? "", /^123456789012\.dkr\.ecr\.us-east-1\./);
    const tags = [...world.ecr.registry("123456789012", "us-east-1").create("app").tags.keys()];
    assert.deepEqual(tags.map((tag) => tag.replace(/-.*/, "")).sort(), ["lambda", "v7"]);
  });

  it("a repository that cannot be created in one region stops no other", async () => {
    const refused = {
      do: "answer",
      status: 400,
      body: '{"__type":"LimitExceededException","message":"enough"}',
    } as const;
    world.api.origin.fault = ({ kind, host }) =>
      kind === "CreateRepository" && host.includes("us-east-1") ? refused : undefined;
    const error = await failure(run(options({ region: ["eu-west-1", "us-east-1"] })));
    world.api.origin.fault = () => undefined;
    assert.ok(error instanceof DeployError);
    assert.deepEqual(howOf(error.deployments), ["app eu-west-1 created", "app us-east-1 failed"]);
    assert.equal(error.code, "AWS_REFUSED");
  });

  it("one that fails stops no other, and is told with its own reason", async () => {
    world.lambda.before = (operation, { input }) => {
      if (operation === "CreateFunction" && input["FunctionName"] === "two")
        world.lambda.outcomes.push({ status: "bad", code: "InvalidImage" });
    };
    const given = options({ function: ["one", "two", "three"], repo: "shared" });
    const error = await failure(run(given));
    assert.ok(error instanceof DeployError);
    assert.deepEqual(howOf(error.deployments), [
      "one eu-west-1 created",
      "two eu-west-1 failed",
      "three eu-west-1 created",
    ]);
    assert.equal(error.code, "FUNCTION_FAILED");
    assert.match(error.message, /^1 of 3 functions failed/);
    assert.match(error.hint, /two in eu-west-1: .*InvalidImage/);
    const table = given.events.flatMap((event) =>
      event.type === "function-done" ? [[event.how, event.code]] : [],
    );
    assert.deepEqual(table, [
      ["created", undefined],
      ["failed", "FUNCTION_FAILED"],
      ["created", undefined],
    ]);
  });

  it("a region that fails stops no other", async () => {
    world.ecr.fault = ({ host, kind }) =>
      host.includes("us-east-1") && kind === "put-manifest"
        ? { do: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' }
        : undefined;
    const error = await failure(run(options({ region: ["eu-west-1", "us-east-1"] })));
    assert.ok(error instanceof DeployError);
    assert.deepEqual(howOf(error.deployments), ["app eu-west-1 created", "app us-east-1 failed"]);
    assert.equal(error.code, "DENIED");
  });

  it("many at once have the code of the worst", async () => {
    await run(options({ function: ["one", "two"], repo: "shared" }));
    Object.assign(world.lambda.function("one") ?? {}, { packageType: "Zip" });
    const throttled = {
      do: "answer",
      status: 429,
      headers: { "x-amzn-errortype": "TooManyRequestsException" },
    } as const;
    world.lambda.origin.fault = ({ path }) => (path.includes("/functions/two") ? throttled : undefined);
    const error = await failure(run(options({ function: ["one", "two"], repo: "shared" })));
    world.lambda.origin.fault = () => undefined;
    assert.equal(error.code, "FUNCTION_UNFIT", "which no second run helps against");
  });
});

describe("a deploy that breaks off", () => {
  it("in the push is finished by the next", async () => {
    world.ecr.fault = failing("put-manifest", { do: "answer", status: 403 }, { times: 1 });
    assert.equal((await failure(run(options()))).code, "DENIED");
    assert.deepEqual(world.lambda.changes, []);
    assert.deepEqual(howOf((await run(options())).deployments), ["app eu-west-1 created"]);
  });

  it("by Ctrl-C while waiting says what goes on in AWS, and ends with 130", async () => {
    world.lambda.looks = 1000;
    const { child, result } = startInWorld(
      world,
      ["deploy", layout, "--function", "app", "--create-repo", "--role", ROLE],
      { environment: environment() },
    );
    child.stderr?.on("data", (chunk: Buffer) => {
      if (/Pending/.test(String(chunk))) child.kill("SIGINT");
    });
    const { code, stdout, stderr } = await result;
    assert.deepEqual([code, stdout], [130, ""], stderr);
    assert.match(stderr, /AWS has accepted the request to create the function, and continues with it/);
    assert.match(stderr, /lambda-pack status app --region eu-west-1 --wait/);
  });

  it("by the caller's signal is ABORTED", async () => {
    world.lambda.looks = 1000;
    const stop = new AbortController();
    const onEvent = (event: BuildEvent) => {
      if (event.type === "function-state") stop.abort();
    };
    assert.equal((await failure(deploy(without(options({ onEvent, signal: stop.signal }))))).code, "ABORTED");
  });
});
