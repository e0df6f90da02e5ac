import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { statusPaced } from "../../../../src/commands/status.ts";
import type { BuildEvent } from "../../../../src/events.ts";
import { createRepository, iamPolicy, prune, repositoryPolicy, status } from "../../../../src/index.ts";
import { parseDigest } from "../../../../src/oci/digest.ts";
import { type ControlPlane, controlPlane } from "../../../support/aws/control-plane.ts";
import { setPushedAt } from "../../../support/aws/ecr-operations.ts";
import { FakeFunction } from "../../../support/aws/functions.ts";
import { placeImage } from "../../../support/aws/images.ts";
import { LambdaException } from "../../../support/aws/lambda-wire.ts";
import { testPacing } from "../../../support/registry/repository.ts";

const ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f";
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "lambda.amazonaws.com" },
      Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    },
  ],
});

let plane: ControlPlane;
before(async () => {
  plane = await controlPlane();
});
afterEach(() => {
  plane.lambda.functions.clear();
  plane.lambda.denied.clear();
  plane.lambda.before = () => {};
  plane.ecrApi.denied.clear();
  plane.ecrApi.origin.fault = () => undefined;
  for (const { log } of [plane.ecrApi.plainOrigin, plane.lambda.plainOrigin]) log.length = 0;
  plane.ecr.registry().repositories.clear();
});
after(() => plane.stop());

/** Options that collect events. `events` is not an option: it is not copied by a spread. */
function heard() {
  const events: BuildEvent[] = [];
  const options = { environment: plane.environment, onEvent: (event: BuildEvent) => void events.push(event) };
  return withEvents(options, events);
}

function withEvents<T extends object>(
  options: T,
  events: readonly BuildEvent[],
): T & { events: readonly BuildEvent[] } {
  return Object.defineProperty(options, "events", { value: events }) as T & { events: readonly BuildEvent[] };
}

/** An Active function of an image in the repository `app`. */
function place(text = "first", name = "f"): FakeFunction {
  const { imageUri, digest } = placeImage(plane.ecr, text);
  const arn = ARN.replace(/f$/, name);
  const made = new FakeFunction(name, arn, { Role: "r", Architectures: ["arm64"] }, imageUri, digest);
  made.state = "Active";
  made.stateReason = undefined;
  made.stateReasonCode = undefined;
  plane.lambda.functions.set(`eu-west-1/${name}`, made);
  return made;
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  try {
    await work;
  } catch (error) {
    return error as { code: string; message: string; hint: string };
  }
  throw new Error("it did not fail");
}

const ecrCalls = () => plane.ecrApi.plainOrigin.log.map(({ kind }) => kind);

describe("status", () => {
  it("tells state, image, versions and aliases by digest", async () => {
    const found = place();
    plane.ecr.repository("app").policy = POLICY;
    plane.ecr.repository("app").tags.set("v1", found.digest);
    found.publish();
    found.aliases.set("live", { Name: "live", FunctionVersion: "1", RoutingConfig: {} });
    assert.deepEqual(await status({ function: "f", ...heard() }), {
      function: "f",
      region: "eu-west-1",
      arn: ARN,
      state: "Active",
      healthy: true,
      packageType: "Image",
      architecture: "arm64",
      memory: 128,
      timeout: 3,
      image: {
        reference: found.image,
        digest: found.digest,
        tags: ["v1"],
        exists: true,
        size: 1000,
        pullable: true,
      },
      versions: [{ version: "1", digest: found.digest, state: "Active" }],
      aliases: [{ name: "live", version: "1", digest: found.digest, weights: {} }],
    });
  });

  it("reads all pages of versions and aliases", async () => {
    const found = place();
    for (let version = 1; version <= 5; version += 1) {
      found.config = { ...found.config, MemorySize: version };
      found.publish();
      found.aliases.set(`a${version}`, { Name: `a${version}`, FunctionVersion: String(version) });
    }
    const { versions, aliases } = await status({ function: "f", ...heard() });
    assert.deepEqual(
      versions.map(({ version }) => version),
      ["5", "4", "3", "2", "1"],
    );
    assert.equal(aliases.length, 5);
  });

  it("says that the image is gone, and that Lambda may not pull", async () => {
    place();
    plane.ecr.repository("app").manifests.clear();
    const { image } = await status({ function: "f", ...heard() });
    assert.deepEqual([image?.exists, image?.pullable], [false, false]);
  });

  it("says so, too, if the whole repository is gone", async () => {
    place();
    plane.ecr.registry().repositories.clear();
    const { image } = await status({ function: "f", ...heard() });
    assert.deepEqual([image?.exists, image?.pullable], [false, undefined]);
  });

  for (const [state, code, says] of [
    ["Inactive", "Idle", /it was not called for weeks.*call it once/],
    ["Failed", "ImageDeleted", /image is no longer in the repository; push the same image again/],
    [
      "Failed",
      "ImageAccessDenied",
      /may not pull.*repo policy \d{12}\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/app --apply/,
    ],
    ["ActiveNonInvocable", undefined, /cannot be called/],
    ["Deactivated", undefined, /switched off/],
  ] as const) {
    it(`explains ${state}${code ? ` (${code})` : ""} with the way back`, async () => {
      Object.assign(place(), { state, stateReasonCode: code });
      const { healthy, explanation } = await status({ function: "f", ...heard() });
      assert.equal(healthy, false);
      assert.match(explanation ?? "", says);
    });
  }

  it("explains an update that failed", async () => {
    Object.assign(place(), { lastUpdateStatus: "Failed", lastUpdateStatusReasonCode: "InvalidImage" });
    const { state, healthy, explanation } = await status({ function: "f", ...heard() });
    assert.deepEqual([state, healthy], ["Active, update Failed", false]);
    assert.match(explanation ?? "", /InvalidImage\): Lambda cannot load this image/);
  });

  it("waits until nothing is under way", async () => {
    place().begin("update", { status: "good", looks: 3 });
    const given = heard();
    assert.match((await status({ function: "f", ...given })).state, /InProgress/);
    const { state } = await statusPaced({ function: "f", wait: true, ...given }, testPacing());
    assert.equal(state, "Active");
  });

  it("knows a function by its ARN, in the ARN's region", async () => {
    place();
    const environment = { ...plane.environment, AWS_REGION: "us-east-1" };
    assert.equal((await status({ function: ARN, environment })).arn, ARN);
    assert.equal((await failure(status({ function: "f", environment }))).code, "FUNCTION_NOT_FOUND");
  });

  it("leaves out what the caller may not see, and says so", async () => {
    place().publish();
    for (const action of ["lambda:ListVersionsByFunction", "lambda:ListAliases"])
      plane.lambda.denied.add(action);
    for (const operation of ["DescribeImages", "GetRepositoryPolicy"]) plane.ecrApi.denied.add(operation);
    const given = heard();
    const { versions, aliases, image } = await status({ function: "f", ...given });
    assert.deepEqual([versions, aliases, image?.exists, image?.pullable], [[], [], undefined, undefined]);
    assert.equal(given.events.filter(({ type }) => type === "warning").length, 4);
  });

  it("of a Zip function has no image", async () => {
    Object.assign(place(), { packageType: "Zip" });
    const { packageType, image } = await status({ function: "f", ...heard() });
    assert.deepEqual([packageType, image], ["Zip", undefined]);
  });
});

describe("prune", () => {
  /** Seven images, the newest last; functions use the first, and a version of one of them the second. */
  function fill(): readonly string[] {
    const digests = ["a", "b", "c", "d", "e", "f", "g"].map((text, index) => {
      const { digest } = placeImage(plane.ecr, text, { tags: [text] });
      setPushedAt(plane.ecr.repository("app"), digest, 1_700_000_000 + index);
      return digest;
    });
    const older = place("b", "versioned");
    older.publish();
    const { imageUri, digest } = placeImage(plane.ecr, "a");
    older.image = imageUri;
    older.digest = digest;
    return digests;
  }
  const options = (more = {}) => {
    const given = heard();
    return withEvents({ repository: "app", keep: 2, ...given, ...more }, given.events);
  };
  const left = () => plane.ecr.repository("app").manifests.size;

  it("tells what nothing uses, and deletes nothing", async () => {
    const digests = fill();
    const given = options();
    const result = await prune(given);
    assert.deepEqual(
      result.pruned.map(({ digest }) => digest),
      [digests[4], digests[3], digests[2]],
    );
    assert.deepEqual(
      [[...result.used].sort(), result.kept, result.deleted],
      [digests.slice(0, 2).sort(), 2, false],
    );
    assert.equal(left(), 7);
    assert.equal(ecrCalls().includes("BatchDeleteImage"), false);
    assert.equal(given.events.filter((event) => event.type === "image-pruned" && event.planned).length, 3);
  });

  it("with yes deletes it, and never what a function or a version uses", async () => {
    const digests = fill();
    const { pruned } = await prune(options({ yes: true, keep: 0 }));
    assert.equal(pruned.length, 5);
    assert.deepEqual([...plane.ecr.repository("app").manifests.keys()].sort(), digests.slice(0, 2).sort());
    assert.deepEqual((await prune(options({ yes: true, keep: 0 }))).pruned, []);
  });

  it("keeps the ten newest when nothing is said", async () => {
    fill();
    const { keep: _, ...more } = options();
    assert.deepEqual((await prune(more)).pruned, []);
  });

  it("keeps what was deployed while it looked", async () => {
    const digests = fill();
    plane.lambda.before = (operation) => {
      if (operation === "ListFunctions" && !plane.lambda.function("new")) place("c", "new");
    };
    const { pruned } = await prune(options({ yes: true, keep: 0 }));
    assert.equal(
      pruned.some(({ digest }) => digest === digests[2]),
      false,
    );
  });

  it("keeps what came into use after it had looked, just before it deletes", async () => {
    const digests = fill();
    let looks = 0;
    plane.lambda.before = (operation, { query }) => {
      if (operation === "ListFunctions" && !query.has("Marker")) looks += 1;
      if (looks === 2 && !plane.lambda.function("late")) place("c", "late");
    };
    const { pruned, used } = await prune(options({ yes: true, keep: 0 }));
    assert.equal(looks, 2);
    assert.deepEqual([pruned.length, used.includes(parseDigest(digests[2] ?? ""))], [4, true]);
    assert.equal(plane.ecr.repository("app").manifests.has(digests[2] ?? ""), true);
  });

  it("keeps both images of a function that moves from one to the other between the list and the question", async () => {
    const digests = fill();
    const moving = place("c", "moving");
    plane.lambda.before = (operation, { name }) => {
      if (operation !== "GetFunction" || name !== "moving") return;
      const { imageUri, digest } = placeImage(plane.ecr, "d");
      Object.assign(moving, { image: imageUri, digest });
    };
    const { pruned } = await prune(options({ keep: 0 }));
    const gone = pruned.map(({ digest }) => String(digest));
    assert.deepEqual([gone.includes(digests[2] ?? ""), gone.includes(digests[3] ?? "")], [false, false]);
    assert.equal(gone.length, 3);
  });

  it("looks once more only where something would be deleted", async () => {
    fill();
    await prune(options({ keep: 0 }));
    const lists = () => plane.lambda.calls.filter((call) => call === "ListFunctions").length;
    const once = lists();
    await prune(options({ yes: true, keep: 100 }));
    assert.equal(lists(), 2 * once);
  });

  it("tells at the end how much that is", async () => {
    fill();
    const given = options({ yes: true, keep: 1 });
    await prune(given);
    assert.deepEqual(given.events.at(-1), {
      type: "images-pruned",
      repository: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app",
      ...{ images: 4, attached: 0, size: 4000, used: 2, kept: 1, planned: false },
    });
  });

  it("keeps what an index of the repository names, as ECR wants it", async () => {
    const digests = fill();
    const manifests = [{ digest: digests[2] }];
    const mediaType = "application/vnd.oci.image.index.v1+json";
    const index = plane.ecr.repository("app").addManifest({ manifests }, mediaType, "index");
    setPushedAt(plane.ecr.repository("app"), index, 1_800_000_000);
    const { pruned } = await prune(options({ yes: true, keep: 1 }));
    assert.equal(
      pruned.some(({ digest }) => digest === digests[2]),
      false,
    );
  });

  for (const [title, spoil] of [
    ["the functions cannot be listed", () => void plane.lambda.denied.add("lambda:ListFunctions")],
    ["a function cannot be asked", () => void plane.lambda.denied.add("lambda:GetFunction")],
    ["the policy cannot be read", () => void plane.ecrApi.denied.add("GetRepositoryPolicy")],
    [
      "a page of the list does not come",
      () => {
        plane.lambda.before = (operation, { query }) => {
          if (operation === "ListFunctions" && query.has("Marker"))
            throw new LambdaException(403, "AccessDeniedException", "not this page");
        };
      },
    ],
  ] as const) {
    it(`deletes nothing when ${title}`, async () => {
      fill();
      spoil();
      place("a", "one");
      place("a", "two");
      assert.equal((await failure(prune(options({ yes: true, keep: 0 })))).code, "DENIED");
      assert.equal(left(), 7);
    });
  }

  it("deletes nothing if functions of other accounts may use it, unless they are named", async () => {
    fill();
    plane.ecr.repository("app").policy = JSON.stringify({
      Statement: [{ Effect: "Allow", Principal: { AWS: "arn:aws:iam::210987654321:root" }, Action: "ecr:*" }],
    });
    const given = options();
    await prune(given);
    assert.match(JSON.stringify(given.events), /functions of 210987654321 may use images/);
    const error = await failure(prune(options({ yes: true, keep: 0 })));
    assert.equal(error.code, "FUNCTION_UNFIT");
    assert.match(error.hint, /--ignore-account 210987654321/);
    assert.equal(left(), 7);
    await prune(options({ yes: true, keep: 0, ignoreAccount: ["210987654321"] }));
    assert.equal(left(), 2);
  });

  it("of a repository that is not there says so", async () => {
    assert.equal((await failure(prune(options()))).code, "REPOSITORY_NOT_FOUND");
  });
});

describe("the repository's policy", () => {
  const repository = "app";
  const read = () => JSON.parse(plane.ecr.repository("app").policy ?? "null");

  it("the repository's policy is only shown, with what would change, until it is applied", async () => {
    plane.ecr.repository("app");
    const given = heard();
    const shown = await repositoryPolicy({ repository, ...given });
    assert.deepEqual([shown.applied, shown.changes.length, read()], [false, 1, null]);
    assert.equal(
      given.events.some((event) => event.type === "policy-change" && event.change === "added"),
      true,
    );
    assert.equal(ecrCalls().includes("SetRepositoryPolicy"), false);
  });

  it("the repository's policy is written once; a second time nothing is", async () => {
    plane.ecr.repository("app").policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Sid: "CI" }],
    });
    const first = await repositoryPolicy({ repository, apply: true, account: ["210987654321"], ...heard() });
    assert.deepEqual([first.applied, read().Statement.length, read().Statement[0]], [true, 4, { Sid: "CI" }]);
    const again = await repositoryPolicy({ repository, apply: true, account: ["210987654321"], ...heard() });
    assert.deepEqual([again.applied, again.changes], [false, []]);
    assert.equal(ecrCalls().filter((call) => call === "SetRepositoryPolicy").length, 1);
  });

  it("the repository's policy is taken back, statement by statement, and deleted if nothing is left", async () => {
    plane.ecr.repository("app");
    await repositoryPolicy({ repository, apply: true, ...heard() });
    const removed = await repositoryPolicy({ repository, apply: true, remove: true, ...heard() });
    assert.deepEqual([removed.applied, removed.policy, read()], [true, undefined, null]);
    const again = await repositoryPolicy({ repository, apply: true, remove: true, ...heard() });
    assert.deepEqual([again.applied, again.changes], [false, []]);
  });

  it("that may not be written names the action and the principal", async () => {
    plane.ecr.repository("app");
    plane.ecrApi.denied.add("SetRepositoryPolicy");
    const error = await failure(repositoryPolicy({ repository, apply: true, ...heard() }));
    assert.equal(error.code, "DENIED");
    assert.match(
      error.message,
      /ecr:SetRepositoryPolicy is not allowed \(User: arn:aws:iam::123456789012:user\/builder/,
    );
  });
});

describe("a repository", () => {
  it("a repository is created with a lifecycle policy if that is asked for", async () => {
    const made = await createRepository({ repository: "app", expireUntagged: 14, ...heard() });
    assert.deepEqual([made.created, made.lifecycle], [true, "added"]);
    const again = await createRepository({ repository: "app", expireUntagged: 14, ...heard() });
    assert.deepEqual([again.created, again.lifecycle], [false, "present"]);
  });

  it("whose creation broke off before its lifecycle policy gets that the next time", async () => {
    plane.ecrApi.denied.add("PutLifecyclePolicy");
    assert.equal(
      (await failure(createRepository({ repository: "app", expireUntagged: 14, ...heard() }))).code,
      "DENIED",
    );
    plane.ecrApi.denied.clear();
    const made = await createRepository({ repository: "app", expireUntagged: 14, ...heard() });
    assert.deepEqual([made.created, made.lifecycle], [false, "added"]);
  });

  it("keeps the lifecycle policy that it has, with a warning", async () => {
    await createRepository({ repository: "app", expireUntagged: 14, ...heard() });
    const given = heard();
    assert.equal(
      (await createRepository({ repository: "app", expireUntagged: 7, ...given })).lifecycle,
      "kept",
    );
    assert.match(JSON.stringify(given.events), /another lifecycle policy, which stays/);
  });
});

it("the IAM policy for a job is made without asking anybody", () => {
  const uri = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app";
  const policy = JSON.stringify(
    iamPolicy({ repository: uri, for: "deploy", function: ["f"], environment: {} }),
  );
  assert.match(policy, /arn:aws-cn:lambda:cn-north-1:123456789012:function:f/);
  assert.deepEqual([ecrCalls(), plane.lambda.calls], [[], []]);
});
