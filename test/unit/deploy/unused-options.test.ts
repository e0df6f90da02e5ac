import "../../support/ecr/trusting.ts";
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import {
  CREATE_REPOSITORY_OPTIONS,
  IAM_POLICY_OPTIONS,
  PRUNE_OPTIONS,
  REPOSITORY_POLICY_OPTIONS,
  STATUS_OPTIONS,
} from "../../../src/commands/aws-options.ts";
import { deployPaced } from "../../../src/commands/deploy/deploy.ts";
import { DEPLOY_OPTIONS } from "../../../src/commands/deploy/options.ts";
import type { OptionTable } from "../../../src/commands/options/read.ts";
import type { BuildEvent } from "../../../src/events.ts";
import {
  build,
  createRepository,
  type DeployOptions,
  iamPolicy,
  LambdaPackError,
  prune,
  status,
} from "../../../src/index.ts";
import { placeImage } from "../../support/aws/images.ts";
import { clearLambda } from "../../support/aws/stage.ts";
import { type AwsWorld, awsWorld } from "../../support/aws/world.ts";
import { testPacing } from "../../support/registry/repository.ts";
import { makeTree, temporaryDirectory } from "../../support/trees.ts";

const ROLE = "arn:aws:iam::123456789012:role/f";
const HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

let world: AwsWorld;
let layout: string;
const app = makeTree({ bootstrap: "#!/bin/sh\n" });
before(async () => {
  world = await awsWorld();
  layout = `oci:${join(temporaryDirectory(), "image")}:v1`;
  await build({ ...BUILT, directory: app, to: layout, environment: world.environment });
});
afterEach(() => {
  clearLambda(world.lambda);
  world.ecr.registry().repositories.clear();
  for (const { log } of [world.api.origin, world.ecr.origin]) log.length = 0;
});
after(() => world?.stop());

/** How the test's directory is built. */
const BUILT = { base: "scratch", arch: "x86_64", check: false } as const;

type Call = (options: {
  readonly environment: AwsWorld["environment"];
  readonly onEvent: (event: BuildEvent) => void;
}) => Promise<unknown>;

/** The warnings about options without effect. */
async function unused(call: Call): Promise<readonly string[]> {
  const events: BuildEvent[] = [];
  await call({ environment: world.environment, onEvent: (event) => events.push(event) });
  return events.flatMap((event) =>
    event.type === "warning" && event.message.includes(" has no effect: ") ? [event.message] : [],
  );
}

const deployed = (options: Partial<DeployOptions>) =>
  unused((common) =>
    deployPaced(
      { source: layout, function: "f", role: ROLE, createRepo: true, ...common, ...options },
      testPacing(),
    ),
  );

const onImage = (options: Partial<DeployOptions>) => deployed(options);
const onDirectory = (options: Partial<DeployOptions>) => deployed({ ...BUILT, source: app, ...options });

async function refused(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (error instanceof LambdaPackError) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error("it was not refused");
}

const IMAGE = "the source is an image, not a directory";

/**
 * Each option of deploy: "always" where it has an effect on every source; "directory" with a value
 * where an image has nothing to do with it; else a run in which it has none, and the message.
 */
const DEPLOY: Readonly<
  Record<
    keyof typeof DEPLOY_OPTIONS,
    "always" | { readonly directory: unknown } | readonly [() => Promise<unknown>, string]
  >
> = {
  source: "always",
  function: "always",
  region: "always", // another one than the ARN's is refused
  repo: "always",
  createRepo: [() => onImage({ dryRun: true }), "--create-repo has no effect: a dry run creates nothing"],
  arch: "always",
  tag: "always",
  role: "always",
  memory: "always",
  timeout: "always",
  ephemeralStorage: "always",
  env: "always",
  resourceTag: "always",
  entrypoint: "always",
  cmd: "always",
  workdir: "always",
  publish: [
    () => onImage({ publish: true, alias: "live" }),
    "--publish has no effect: an alias always gets a version",
  ],
  alias: "always",
  weight: [
    () => refused(() => onImage({ weight: 0.1 })),
    "USAGE a weight needs an alias, and no alias is given",
  ],
  warm: "always",
  recreate: "always", // as far as the function could not be created
  dryRun: "always",
  base: { directory: "scratch" },
  handler: { directory: "app.handler" },
  label: { directory: { a: "b" } },
  target: { directory: "/srv" },
  format: { directory: "docker" },
  level: { directory: 9 },
  install: { directory: "npm" },
  extra: { directory: ["a"] },
  group: { directory: ["a"] },
  bundle: { directory: true },
  reuseFrom: { directory: "r.example/a:b" },
  layer: { directory: [{ name: "a", glob: "b" }] },
  exclude: { directory: ["a"] },
  ignoreFile: { directory: ".ignore" },
  ownFiles: { directory: ["a"] },
  omitDev: { directory: true },
  allowSecret: { directory: ["a"] },
  copyFrom: { directory: ["r.example/a:1:/x:/y"] },
  add: { directory: ["a:/b"] },
  lambdaLayer: { directory: ["a.zip"] },
  extension: { directory: ["a"] },
  runtimeClient: { directory: true },
  check: { directory: false },
  allow: { directory: ["handler"] },
  deep: { directory: true },
  snapstart: { directory: true },
  lock: { directory: true },
  updateBase: { directory: true },
  locked: { directory: true },
  lockFile: { directory: "a.lock" },
  build: { directory: { webAdapter: true } },
  jobs: "always",
  cacheDir: [() => onImage({ cache: false, cacheDir: app }), "--cache-dir has no effect: there is no cache"],
  cache: "always",
  offline: [
    () => refused(() => onImage({ offline: true })),
    "USAGE a deploy needs AWS, and --offline forbids requests",
  ],
  insecureRegistry: "always",
  registryTimeout: "always",
  trustRealm: "always",
  allowPrivate: "always",
  environment: "always",
  onEvent: "always",
  signal: "always",
};

const flagOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe("deploy of an image says that these options have no effect:", () => {
  const forDirectories = Object.entries(DEPLOY).flatMap(([name, found]) =>
    typeof found === "object" && "directory" in found ? [[name, found.directory] as const] : [],
  );

  it("each option for a directory, also in one call together", async () => {
    const messages = await onImage(Object.fromEntries(forDirectories));
    const flags = forDirectories.map(([name]) => (name === "check" ? "no-check" : flagOf(name)));
    assert.deepEqual([...messages].sort(), flags.map((flag) => `--${flag} has no effect: ${IMAGE}`).sort());
  });

  for (const [name, found] of Object.entries(DEPLOY)) {
    if (!Array.isArray(found)) continue;
    const [call, message] = found;
    it(`${name}: ${message}`, async () => assert.deepEqual([await call()].flat(), [message]));
  }

  it("every option with a rule, and those without one are listed here as always effective", () => {
    const ruled = Object.entries<OptionTable[string]>(DEPLOY_OPTIONS).flatMap(([name, { noEffect }]) =>
      noEffect ? name : [],
    );
    const byRegistry = ["insecureRegistry", "registryTimeout", "trustRealm", "allowPrivate"];
    const listed = Object.entries(DEPLOY).flatMap(([name, found]) => (found === "always" ? [] : name));
    const byError = ["weight", "offline"];
    assert.deepEqual(new Set([...ruled, ...byError]), new Set([...listed, ...byRegistry]));
  });
});

it("deploy of an image takes no notice of LAMBDA_PACK_BASE", async () => {
  const environment = { ...world.environment, LAMBDA_PACK_BASE: "python:3.12" };
  assert.deepEqual(await onImage({ environment }), []);
  const error = await onImage({ environment, source: `${HOST}/f:none` }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof LambdaPackError);
  assert.equal(error.code, "REPOSITORY_NOT_FOUND");
});

describe("deploy of a directory says that these options have no effect:", () => {
  it("those of deploy itself and those of the build, each once", async () => {
    const given = { publish: true, alias: "live", exclude: ["none/**"], cache: false, cacheDir: app };
    assert.deepEqual(await onDirectory({ ...given, locked: true, dryRun: true }), [
      "--create-repo has no effect: a dry run creates nothing",
      "--publish has no effect: an alias always gets a version",
      '--exclude has no effect: "none/**" leaves out no file',
      "--locked has no effect: scratch is not an image",
      "--cache-dir has no effect: there is no cache",
    ]);
  });

  it("none if all have one", async () => {
    assert.deepEqual(await onDirectory({ label: { a: "b" }, publish: true, build: { target: "/srv" } }), []);
  });
});

/** The options of the other commands. A command without a case here is told by an error or a warning below. */
const OTHERS: readonly (readonly [string, OptionTable, Readonly<Record<string, "always" | "below">>])[] = [
  [
    "repo create",
    CREATE_REPOSITORY_OPTIONS,
    {
      ...{ repository: "always", expireUntagged: "always", region: "below" },
      ...{
        mutableTags: "below",
        movableTag: "below",
        resourceTag: "below",
        scan: "below",
        encryption: "below",
      },
    },
  ],
  [
    "repo policy",
    REPOSITORY_POLICY_OPTIONS,
    { repository: "always", account: "always", apply: "always", remove: "always", region: "below" },
  ],
  [
    "repo iam",
    IAM_POLICY_OPTIONS,
    { repository: "always", for: "always", function: "below", role: "below", region: "below" },
  ],
  ["status", STATUS_OPTIONS, { function: "always", wait: "always", region: "below" }],
  [
    "prune",
    PRUNE_OPTIONS,
    { repository: "always", keep: "always", yes: "always", ignoreAccount: "below", region: "below" },
  ],
];

describe("an option without effect is told by", () => {
  for (const [command, table, listed] of OTHERS)
    it(`${command}, whose options are all listed here`, () => {
      const ofSession = ["environment", "onEvent", "signal"];
      assert.deepEqual(new Set(Object.keys(table)), new Set([...Object.keys(listed), ...ofSession]));
    });

  it("repo create, each setting that an existing repository keeps", async () => {
    const repository = "app";
    const create = (more: object) => unused((common) => createRepository({ repository, ...common, ...more }));
    assert.deepEqual(await create({ encryption: "KMS" }), []);
    const kept = "has no effect: the repository exists already, and keeps its settings";
    const given = { movableTag: "dev-*", resourceTag: { a: "b" }, scan: false, encryption: "AES256" };
    assert.deepEqual(await create(given), [
      `--movable-tag ${kept}`,
      `--resource-tag ${kept}`,
      `--no-scan ${kept}`,
      `--encryption ${kept}`,
    ]);
    assert.deepEqual(await create({ mutableTags: true, scan: true, encryption: "KMS" }), [
      `--mutable-tags ${kept}`,
    ]);
  });

  it("prune, an account that the repository's policy does not name", async () => {
    placeImage(world.ecr, "a");
    assert.deepEqual(
      await unused((common) => prune({ repository: "app", ignoreAccount: "210987654321", ...common })),
      ["--ignore-account has no effect: the policy of the repository does not name 210987654321"],
    );
  });

  for (const name of ["function", "role"] as const)
    for (const purpose of ["push", "create"] as const)
      it(`repo iam --for ${purpose}, --${name}`, async () => {
        assert.equal(
          await refused(() => iamPolicy({ repository: "app", for: purpose, [name]: ROLE })),
          `USAGE --${name} has no effect on a policy for ${purpose}`,
        );
      });

  for (const [command, call] of Object.entries({
    "repo create": (region: string) => createRepository({ repository: `${HOST}/app`, region }),
    "repo iam": async (region: string) => iamPolicy({ repository: `${HOST}/app`, for: "push", region }),
    prune: (region: string) => prune({ repository: `${HOST}/app`, region }),
    status: (region: string) =>
      status({ function: "arn:aws:lambda:eu-west-1:123456789012:function:f", region }),
    deploy: (region: string) =>
      deployPaced(
        { source: layout, function: "arn:aws:lambda:eu-west-1:123456789012:function:f", region },
        testPacing(),
      ),
  }))
    it(`${command}, --region of another region than the one in the name`, async () => {
      assert.match(await refused(() => call("us-east-1")), /^USAGE .* is in eu-west-1, /);
    });
});

describe("what can be known is checked before deploy creates a repository:", () => {
  const creations = () => world.api.origin.log.filter(({ kind }) => kind === "CreateRepository").length;
  const requests = () =>
    [world.api.origin, world.ecr.origin, world.lambda.plainOrigin].flatMap(({ log }) => log);

  it("the handler of a directory", async () => {
    const source = makeTree({ "app.py": "def other(event, context): pass\n" });
    const given = { ...BUILT, source, check: true, allow: ["runtime-client", "entrypoint"] };
    const message = await refused(() => onDirectory({ ...given, handler: "app.handler" }));
    assert.match(message, /handler/);
    assert.deepEqual([creations(), world.ecr.log.length], [0, 0]);
    await onDirectory({});
    assert.equal(creations(), 1);
  });

  it("the image that is deployed", async () => {
    await refused(() => onImage({ source: `oci:${temporaryDirectory()}/nothing` }));
    assert.equal(creations(), 0);
  });

  for (const [title, options, expected] of [
    ["the options of a build", { build: { target: "relative" } }, /"relative" is not an absolute path/],
    ["a base that is none", { base: "pyhton:3.12" }, /pyhton/],
    ["patterns", { exclude: ["[a"] }, /\[a/],
  ] as const)
    it(`${title}, without any request`, async () => {
      assert.match(await refused(() => onDirectory(options)), expected);
      assert.deepEqual(requests(), []);
    });
});

describe("deploy of a name that is not there hints at", () => {
  const root = temporaryDirectory();
  mkdirSync(join(root, "orders"));

  for (const [title, options] of [
    ["the directory with a similar name", {}],
    ["that directory, also beside --base", { base: "python:3.12" }],
  ] as const)
    it(title, async () => {
      const error = await onImage({ source: join(root, "order"), ...options }).catch(
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof LambdaPackError);
      assert.equal(error.code, "DIRECTORY_UNREADABLE");
      assert.ok(error.hint?.startsWith(`did you mean ${join(root, "orders")}?`), error.hint);
    });
});
