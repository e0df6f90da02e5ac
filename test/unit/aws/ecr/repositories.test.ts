import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { ensureLifecycle, inUseTag } from "../../../../src/aws/ecr/lifecycle.ts";
import { parseRepositoryName } from "../../../../src/aws/ecr/names.ts";
import { ensureRepository, findRepository, ownAccount } from "../../../../src/aws/ecr/repositories.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { type ControlPlane, controlPlane, openedApi } from "../../../support/aws/control-plane.ts";
import { lifecycleOf } from "../../../support/aws/ecr-operations.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const URI = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app";

let plane: ControlPlane;
before(async () => {
  plane = await controlPlane();
});
afterEach(() => {
  plane.ecr.registry().repositories.clear();
  plane.ecrApi.denied.clear();
  plane.ecrApi.sessionExpired = false;
  plane.ecrApi.origin.fault = () => undefined;
});
after(() => plane.stop());

const name = (text = "team/app", region?: string) => parseRepositoryName(text, plane.environment, region);

describe("the name of a repository", () => {
  it("may be the whole URI, with or without tag", async () => {
    const repository = await name(`${URI}:v1`);
    assert.deepEqual(
      [repository.name, repository.region, repository.accountId],
      ["team/app", "eu-west-1", "123456789012"],
    );
  });

  it("as an ARN is refused, and the message says which URI to write", async () => {
    await assert.rejects(name("arn:aws:ecr:eu-west-1:123456789012:repository/team/app"), {
      code: "REFERENCE_INVALID",
      hint: `write ${URI}`,
    });
  });

  it("alone is in the region of the environment, or in the one that is given", async () => {
    assert.equal((await name()).region, "eu-west-1");
    assert.equal((await name("app", "us-gov-west-1")).region, "us-gov-west-1");
  });

  for (const [text, says] of [
    ["Team/App", /not a repository name/],
    ["a", /not a repository name/],
    ["ghcr.io/team/app", /ghcr\.io is not a private Amazon ECR registry/],
    ["public.ecr.aws/team/app", /not a private Amazon ECR registry/],
  ] as const) {
    it(`the name of a repository is not ${text}`, async () => {
      await assert.rejects(name(text), { code: "USAGE", message: says });
    });
  }

  it("in another region than the one that is given is a contradiction", async () => {
    await assert.rejects(name(URI, "us-east-1"), { code: "USAGE", message: /eu-west-1.*us-east-1/ });
  });

  it("needs a region from somewhere", async () => {
    const lost = parseRepositoryName("app", { AWS_CONFIG_FILE: "/nowhere", AWS_PROFILE: "no-such-profile" });
    await assert.rejects(lost, { code: "USAGE", message: /no region is given/ });
  });
});

describe("a repository that is created", () => {
  it("a repository that is created has immutable tags and is scanned, unless it is said otherwise", async () => {
    const { api } = openedApi(plane);
    const { created, facts } = await ensureRepository(api, await name(), {});
    assert.deepEqual(
      [created, facts.uri, facts.immutableTags, facts.scanOnPush, facts.encryption],
      [true, URI, true, true, "AES256"],
    );
    const other = await ensureRepository(api, await name("other"), {
      immutableTags: false,
      scanOnPush: false,
      encryption: "arn:aws:kms:eu-west-1:123456789012:key/1",
    });
    assert.deepEqual(
      [other.facts.immutableTags, other.facts.scanOnPush, other.facts.encryption],
      [false, false, "arn:aws:kms:eu-west-1:123456789012:key/1"],
    );
  });

  it("a repository that is created is left as it is the second time", async () => {
    const { api, events } = openedApi(plane);
    await ensureRepository(api, await name(), {});
    const again = await ensureRepository(api, await name(), { immutableTags: false });
    assert.deepEqual([again.created, again.facts.immutableTags], [false, true]);
    assert.equal(events.length, 3, "describe, create, describe");
  });

  it("a repository that is created is found where somebody else was quicker", async () => {
    const { api } = openedApi(plane);
    plane.ecrApi.origin.fault = ({ kind }) => {
      if (kind === "CreateRepository") plane.ecr.repository("team/app");
      return undefined;
    };
    assert.equal((await ensureRepository(api, await name(), {})).created, false);
  });

  it("a repository that is created is found where the answer to its creation was lost", async () => {
    const { api, pacing } = openedApi(plane);
    plane.ecrApi.origin.fault = failing(
      "CreateRepository",
      { do: "drop", when: "after-commit" },
      { times: 1 },
    );
    const { facts } = await ensureRepository(api, await name(), {});
    assert.equal(facts.uri, URI);
    assert.equal(pacing.waits.length, 1);
  });

  it("comes in spite of throttling", async () => {
    const { api, events } = openedApi(plane);
    const body = JSON.stringify({ __type: "ThrottlingException", message: "Rate exceeded" });
    plane.ecrApi.origin.fault = failing(
      "CreateRepository",
      { do: "answer", status: 400, body },
      { times: 4 },
    );
    assert.equal((await ensureRepository(api, await name(), {})).created, true);
    assert.equal(events.filter(({ type }) => type === "retrying").length, 4);
  });

  it("a repository that is created is not there without permission; the action and who asked are named", async () => {
    plane.ecrApi.denied.add("CreateRepository");
    await assert.rejects(ensureRepository(openedApi(plane).api, await name(), {}), {
      code: "DENIED",
      message: /ecr:CreateRepository is not allowed \(User: arn:aws:iam::123456789012:user\/builder/,
      hint: "allow ecr:CreateRepository on the resource * in the IAM policy of arn:aws:iam::123456789012:user/builder",
    });
  });

  it("a repository that is created is not there when the session has expired", async () => {
    plane.ecrApi.sessionExpired = true;
    const finding = findRepository(openedApi(plane).api, await name());
    await assert.rejects(finding, { code: "CREDENTIALS_INVALID", message: /session has expired/ });
  });
});

describe("the lifecycle policy", () => {
  it("expires what has no tag, and never what a function was given", async () => {
    const { api } = openedApi(plane);
    await ensureRepository(api, await name(), {});
    assert.equal(await ensureLifecycle(api, await name(), 14), "added");
    const { rules } = JSON.parse(lifecycleOf(plane.ecr.repository("team/app")) ?? "");
    assert.deepEqual(
      rules.map(
        (rule: { selection: { tagStatus: string; tagPrefixList?: string[]; countNumber: number } }) => [
          rule.selection.tagStatus,
          rule.selection.tagPrefixList?.[0],
          rule.selection.countNumber,
        ],
      ),
      [
        ["tagged", "lambda-", 100_000],
        ["untagged", undefined, 14],
      ],
    );
    assert.match(inUseTag(digestOf("an image")), /^lambda-[0-9a-f]{12}$/);
  });

  it("the lifecycle policy is set once, and never in place of another", async () => {
    const { api } = openedApi(plane);
    await ensureRepository(api, await name(), {});
    await ensureLifecycle(api, await name(), 14);
    assert.equal(await ensureLifecycle(api, await name(), 14), "present");
    assert.equal(await ensureLifecycle(api, await name(), 7), "kept");
  });
});

it("the caller's account is known from the login", async () => {
  assert.equal(await ownAccount(openedApi(plane).api, await name()), "123456789012");
});
