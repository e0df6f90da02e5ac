import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ensureLifecycle } from "../../../../src/aws/ecr/lifecycle.ts";
import { planFunction, preflight } from "../../../../src/aws/functions/deploy-function.ts";
import { findFunction } from "../../../../src/aws/functions/functions.ts";
import { EXIT_STATUS } from "../../../../src/cli/exit.ts";
import { repositoriesFor } from "../../../../src/commands/deploy/deploy-places.ts";
import type { ErrorCode } from "../../../../src/errors.ts";
import { createRepository, repositoryPolicy } from "../../../../src/index.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import type { FakeFunction } from "../../../support/aws/functions.ts";
import { failure, PLACE, ROLE, stage } from "../../../support/aws/stage.ts";
import { failing, plans } from "../../../support/ecr/http/faults.ts";

const on = stage();
const { desiredFor, deploy, changes } = on;

const KEY = "arn:aws:kms:eu-west-1:123456789012:key/k";
const NO_KMS = { ErrorCode: "AccessDeniedException", Message: "KMS access was denied." };
const KEY_OFF = { ErrorCode: "KMSDisabledException", Message: "The key is disabled." };
const NO_TAGS = { ErrorCode: "AccessDeniedException", Message: "lambda:ListTags is not allowed." };
const IMAGE = { entrypoint: ["/entry"], cmd: ["app.handler"], workdir: "/srv" };
const IMAGE_CONFIG = { EntryPoint: ["/entry"], Command: ["app.handler"], WorkingDirectory: "/srv" };

function found(): FakeFunction {
  const made = on.plane.lambda.function("f");
  assert.ok(made);
  return made;
}

/** A function with variables, image settings and tags; of these, Lambda does not show what `hidden` names. */
async function running(hidden: FakeFunction["hidden"]): Promise<FakeFunction> {
  await deploy(desiredFor("first", { settings: { role: ROLE, env: { A: "1" }, ...IMAGE } }));
  return hide(hidden);
}

/** As {@link running}, but its creation failed, and it takes no new code. */
async function failedAtCreation(hidden: FakeFunction["hidden"]): Promise<FakeFunction> {
  on.plane.lambda.outcomes.push({ status: "bad", code: "InvalidImage" });
  await failure(deploy(desiredFor("first", { settings: { role: ROLE, env: { A: "1" }, ...IMAGE } })));
  return hide(hidden);
}

function hide(hidden: FakeFunction["hidden"]): FakeFunction {
  const made = found();
  made.config = { ...made.config, KMSKeyArn: KEY };
  Object.assign(made, { hidden, tags: { team: "orders" } });
  changes();
  return made;
}

/** Everything that the function had is still there. */
function assertUntouched(made: FakeFunction): void {
  assert.equal(found(), made);
  assert.deepEqual(made.config["Environment"], { Variables: { A: "1" } });
  assert.deepEqual(made.config["ImageConfigResponse"], { ImageConfig: IMAGE_CONFIG });
  assert.deepEqual(made.tags, { team: "orders" });
}

const HIDDEN: readonly (readonly [
  title: string,
  hidden: FakeFunction["hidden"],
  code: ErrorCode,
  exit: number,
  says: RegExp,
  fix: RegExp,
])[] = [
  [
    "variables are under a KMS key that the caller may not use",
    { Environment: NO_KMS },
    "DENIED",
    4,
    /^Lambda does not show the environment variables of f in eu-west-1 \(AccessDeniedException: KMS access was denied\.\): /,
    /^allow kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key\/k to the caller/,
  ],
  [
    "variables are under a KMS key that is disabled",
    { Environment: KEY_OFF },
    "AWS_REFUSED",
    1,
    /\(KMSDisabledException: The key is disabled\.\)/,
    /check that the key is enabled/,
  ],
  [
    "image settings cannot be read",
    { ImageConfigResponse: { ErrorCode: "InternalError", Message: "" } },
    "AWS_REFUSED",
    1,
    /does not show the image settings \(ENTRYPOINT, CMD, working directory\) of f in eu-west-1 \(InternalError\)/,
    /^aws lambda get-function --function-name f --region eu-west-1/,
  ],
];

const ADDED = { env: { B: "2" }, cmd: ["app.other"] } as const;

describe("deploy to a function whose", () => {
  for (const [title, hidden, code, exit, says, fix] of HIDDEN) {
    const settings = hidden.Environment ? { env: ADDED.env } : { cmd: ADDED.cmd };

    it(`${title} refuses to add to them, before anything is changed`, async () => {
      const made = await running(hidden);
      const error = await failure(preflight(openedApi(on.plane).api, PLACE, settings));
      assert.deepEqual([error.code, EXIT_STATUS[error.code as ErrorCode]], [code, exit]);
      assert.match(error.message, says);
      assert.match(error.hint, fix);
      assertUntouched(made);
    });

    it(`${title} refuses to add to them if that happens after it was first looked at`, async () => {
      const made = await running({});
      on.plane.lambda.before = (operation) => {
        if (operation === "UpdateFunctionCode") Object.assign(made, { hidden });
      };
      assert.equal((await failure(deploy(desiredFor("second", { settings })))).code, code);
      assert.deepEqual(changes(), ["UpdateFunctionCode"]);
      assertUntouched(made);
    });

    it(`${title} refuses it in a dry run, too`, async () => {
      await running(hidden);
      const { api } = openedApi(on.plane);
      const facts = await findFunction(api, PLACE);
      assert.equal(
        (await failure(planFunction(api, PLACE, desiredFor("second", { settings }), facts))).code,
        code,
      );
      assert.deepEqual(changes(), []);
    });

    it(`${title} changes its code and memory, and leaves them as they are`, async () => {
      const made = await running(hidden);
      const { state } = await deploy(desiredFor("second", { settings: { memory: 512 } }));
      assert.equal(state, "Active");
      assert.deepEqual(changes(), ["UpdateFunctionCode", "UpdateFunctionConfiguration"]);
      assert.equal(made.config["MemorySize"], 512);
      assertUntouched(made);
    });
  }

  it("variables cannot be read takes other image settings", async () => {
    const made = await running({ Environment: NO_KMS });
    await deploy(desiredFor("first", { settings: { cmd: ADDED.cmd } }));
    assert.deepEqual(made.config["ImageConfigResponse"], {
      ImageConfig: { ...IMAGE_CONFIG, Command: ["app.other"] },
    });
    assert.deepEqual(made.config["Environment"], { Variables: { A: "1" } });
  });

  it("tags cannot be read takes new variables, as tags are not written", async () => {
    const made = await running({ Tags: NO_TAGS });
    await deploy(desiredFor("first", { settings: { env: ADDED.env } }));
    assert.deepEqual(made.config["Environment"], { Variables: { A: "1", B: "2" } });
  });

  it("variables cannot be read publishes a version rather than take the newest for the same", async () => {
    const made = await running({});
    await deploy(desiredFor("first", { publish: true }));
    made.config = { ...made.config, Environment: { Variables: { A: "changed" } } };
    Object.assign(made, { hidden: { Environment: NO_KMS } });
    const { version } = await deploy(desiredFor("first", { publish: true, settings: {} }));
    assert.equal(version, "2");
  });
});

describe("a function whose creation failed is neither deleted nor created again where", () => {
  const cases: typeof HIDDEN = [
    ...HIDDEN,
    [
      "tags cannot be read",
      { Tags: NO_TAGS },
      "DENIED",
      4,
      /does not show the tags of f in eu-west-1 \(AccessDeniedException: lambda:ListTags is not allowed\.\)/,
      /^allow lambda:ListTags/,
    ],
    [
      "variables and tags cannot be read",
      { Environment: KEY_OFF, Tags: NO_TAGS },
      "DENIED",
      4,
      /does not show the environment variables and tags of f in eu-west-1/,
      /kms:Decrypt.*lambda:ListTags/,
    ],
  ];
  for (const [title, hidden, code, exit, says, fix] of cases)
    for (const recreate of [false, true]) {
      it(`its ${title}${recreate ? ", though --recreate is given" : ""}`, async () => {
        const made = await failedAtCreation(hidden);
        const error = await failure(deploy(desiredFor("second", { recreate, settings: {} })));
        assert.deepEqual(changes(), ["UpdateFunctionCode"]);
        assert.deepEqual([error.code, EXIT_STATUS[error.code as ErrorCode]], [code, exit]);
        assert.match(error.message, says);
        assert.match(error.message, /was not deleted, because it could not be created again as it was$/);
        assert.match(error.hint, fix);
        assertUntouched(made);
      });
    }

  for (const [title, hidden] of cases)
    it(`its ${title}, and a dry run says so`, async () => {
      await failedAtCreation(hidden);
      const { api } = openedApi(on.plane);
      const desired = desiredFor("second", { recreate: true, settings: {} });
      const { steps } = await planFunction(api, PLACE, desired, await findFunction(api, PLACE));
      assert.match(steps[0] ?? "", /cannot be created again without its .*, which cannot be read$/);
      assert.deepEqual(changes(), []);
    });

  it("the answer does not have its role, unless the deploy gives one", async () => {
    const made = await failedAtCreation({});
    const { Role: _, ...config } = made.config;
    made.config = config;
    const error = await failure(deploy(desiredFor("second", { settings: {} })));
    assert.match(error.message, /does not show the execution role of f .*the answer does not have it/);
    assert.equal(found(), made);
    changes();
    assert.equal((await deploy(desiredFor("second"))).state, "Active");
    assert.deepEqual(changes(), ["UpdateFunctionCode", "DeleteFunction", "CreateFunction"]);
    assert.deepEqual(found().config["Environment"], { Variables: { A: "1" } });
  });
});

for (const [operation, body, says] of [
  ["GetAlias", { Name: "live" }, /about the alias live of f in eu-west-1 has no FunctionVersion$/],
  ["PublishVersion", {}, /about the version published of f in eu-west-1 has no Version$/],
] as const)
  it(`an answer of ${operation} without a version is an error, and the alias stays`, async () => {
    const made = await running({});
    await deploy(desiredFor("first", { publish: true, alias: { name: "live" } }));
    const before = made.aliases.get("live");
    changes();
    const fault = { do: "answer", status: 200, body: JSON.stringify(body) } as const;
    on.plane.lambda.origin.fault = failing(operation, fault);
    const error = await failure(
      deploy(desiredFor("second", { publish: true, alias: { name: "live", weight: 0.1 } })),
    );
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.match(error.message, says);
    assert.equal(made.aliases.get("live"), before);
    assert.equal(changes().includes("UpdateAlias"), false);
  });

it("deploy asks for the repository if Lambda does not show the image that a function has", async () => {
  await running({});
  const facts = await findFunction(openedApi(on.plane).api, PLACE);
  assert.ok(facts);
  const { imageUri: _, ...hidden } = facts;
  const found = [{ place: PLACE, facts: hidden }];
  const error = await failure(repositoriesFor(found, { repo: undefined }, undefined, on.plane.environment));
  assert.deepEqual([error.code, error.hint], ["AWS_REFUSED", "name the repository: --repo NAME"]);
  assert.match(error.message, /^Lambda does not show the image of f in eu-west-1/);
});

for (const [operation, what, field] of [
  ["ListVersionsByFunction", "versions", "Versions"],
  ["ListAliases", "aliases", "Aliases"],
  ["ListEventSourceMappings", "event sources", "EventSourceMappings"],
  ["ListFunctionUrlConfigs", "URLs", "FunctionUrlConfigs"],
  ["ListFunctionEventInvokeConfigs", "settings for asynchronous calls", "FunctionEventInvokeConfigs"],
] as const)
  for (const body of ["", "{}"])
    it(`a function whose creation failed is not deleted where ${operation} answers "${body}"`, async () => {
      const made = await failedAtCreation({});
      on.plane.lambda.origin.fault = failing(operation, { do: "answer", status: 200, body });
      const error = await failure(deploy(desiredFor("second", { settings: {} })));
      assert.equal(error.code, "REGISTRY_ANSWER");
      assert.equal(error.message, `the answer of AWS about the ${what} of f in eu-west-1 has no ${field}`);
      assert.deepEqual(changes(), ["UpdateFunctionCode"]);
      assertUntouched(made);
    });

for (const body of ["{}", JSON.stringify({ repositories: [] })])
  it(`repo create creates nothing where DescribeRepositories answers ${body}`, async () => {
    on.plane.ecrApi.origin.fault = failing("DescribeRepositories", { do: "answer", status: 200, body });
    const error = await failure(createRepository({ repository: "app", environment: on.plane.environment }));
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.match(error.message, /the answer of AWS about the repository app has no repositories/);
    assert.deepEqual([...on.plane.ecr.registry().repositories.keys()], []);
  });

it("repo create says what is wrong if ECR neither creates nor describes the repository", async () => {
  const exception = (type: string) =>
    ({
      do: "answer",
      status: 400,
      body: JSON.stringify({ __type: type, message: "in transition" }),
    }) as const;
  on.plane.ecrApi.origin.fault = plans(
    failing("CreateRepository", exception("RepositoryAlreadyExistsException")),
    failing("DescribeRepositories", exception("RepositoryNotFoundException")),
  );
  const error = await failure(createRepository({ repository: "app", environment: on.plane.environment }));
  assert.equal(error.code, "REGISTRY_ANSWER");
  assert.match(error.message, /the answer of AWS about the repository app has no repository$/);
});

it("an answer of GetFunction without a configuration is an error, and nothing is created or changed", async () => {
  await running({});
  on.plane.lambda.origin.fault = failing("GetFunction", { do: "answer", status: 200, body: "{}" });
  const error = await failure(deploy(desiredFor("second")));
  assert.equal(error.code, "REGISTRY_ANSWER");
  assert.match(error.message, /the answer of AWS about the function f in eu-west-1 has no Configuration/);
  assert.deepEqual(changes(), []);
});

describe("an answer of ECR that is no answer is not taken for an empty policy, and nothing is written:", () => {
  const POLICY = JSON.stringify({
    Statement: [{ Sid: "theirs", Effect: "Deny", Principal: "*", Action: "*" }],
  });
  const ecrChanges = () =>
    on.plane.ecrApi.plainOrigin.log
      .map(({ kind }) => kind)
      .filter((kind) => /^(?:Set|Put|Delete)/.test(kind));

  for (const [title, body] of [
    ["no policyText", "{}"],
    ["an empty policyText", JSON.stringify({ policyText: "" })],
    ["a policyText that was cut off", JSON.stringify({ policyText: POLICY.slice(0, 40) })],
    ["a statement that is null", JSON.stringify({ policyText: '{"Statement":[null]}' })],
  ] as const)
    for (const remove of [false, true])
      it(`repo policy --apply${remove ? " --remove" : ""} with ${title}`, async () => {
        on.plane.ecr.repository("app").policy = POLICY;
        on.plane.ecrApi.origin.fault = failing("GetRepositoryPolicy", { do: "answer", status: 200, body });
        const { environment } = on.plane;
        const options = { repository: "app", apply: true, remove, environment };
        const error = await failure(repositoryPolicy(options));
        assert.equal(error.code, "REGISTRY_ANSWER");
        assert.match(error.message, /policy of app/);
        assert.deepEqual(ecrChanges(), []);
        assert.equal(on.plane.ecr.repository("app").policy, POLICY);
      });

  const repository = { name: "app", region: "eu-west-1", fips: false, dualStack: false };

  it("a lifecycle policy without its text is an error", async () => {
    on.plane.ecr.repository("app");
    on.plane.ecrApi.origin.fault = failing("GetLifecyclePolicy", { do: "answer", status: 200, body: "{}" });
    const error = await failure(ensureLifecycle(openedApi(on.plane).api, repository, 14));
    assert.equal(error.code, "REGISTRY_ANSWER");
    assert.deepEqual(ecrChanges(), []);
  });

  it("a lifecycle policy that is not JSON stays as it is", async () => {
    on.plane.ecr.repository("app");
    const body = JSON.stringify({ lifecyclePolicyText: "not JSON" });
    on.plane.ecrApi.origin.fault = failing("GetLifecyclePolicy", { do: "answer", status: 200, body });
    assert.equal(await ensureLifecycle(openedApi(on.plane).api, repository, 14), "kept");
    assert.deepEqual(ecrChanges(), []);
  });
});
