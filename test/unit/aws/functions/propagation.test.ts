import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lambdaUri, parseRepositoryUri, repositoryUri } from "../../../../src/aws/ecr/names.ts";
import { EXIT_STATUS } from "../../../../src/cli/exit.ts";
import type { ErrorCode } from "../../../../src/errors.ts";
import { parseDigest } from "../../../../src/oci/digest.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { failure, ROLE, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();

const NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda.";
const NO_PRINCIPAL =
  "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid principal: arn:aws:iam::123456789012:role/new";
const NO_ACCESS = "Lambda does not have permission to access the ECR image. Check the ECR permissions.";

function refuse(
  operation: string,
  message: string,
  times?: number,
  exception = "InvalidParameterValueException",
) {
  on.plane.lambda.origin.fault = failing(
    operation,
    {
      do: "answer",
      status: exception === "AccessDeniedException" ? 403 : 400,
      headers: { "x-amzn-errortype": exception },
      body: JSON.stringify({ message }),
    },
    times === undefined ? {} : { times },
  );
}

describe("what Lambda does not know yet", () => {
  for (const [name, message] of [
    ["a role that cannot be assumed yet", NOT_ASSUMABLE],
    ["a role that KMS does not know yet", NO_PRINCIPAL],
    ["throttling by EC2", "Your request has been throttled by EC2. EC2 Error Code: RequestLimitExceeded."],
    [
      "a role whose permissions EC2 does not see yet",
      "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
    ],
  ] as const) {
    it(`deploy creates a function after ${name}`, async () => {
      refuse("CreateFunction", message, 2);
      const opened = openedApi(on.plane);
      assert.equal((await on.deploy(on.desiredFor(), opened)).how, "created");
      assert.equal(opened.events.filter(({ type }) => type === "retrying").length, 2);
    });

    it(`deploy changes the settings of a function after ${name}`, async () => {
      await on.deploy(on.desiredFor());
      refuse("UpdateFunctionConfiguration", message, 2);
      const role = ROLE.replace("role/f", "role/new");
      const opened = openedApi(on.plane);
      const { how } = await on.deploy(
        on.desiredFor("first", { settings: { role, env: { A: "b" } } }),
        opened,
      );
      assert.equal(how, "updated");
      assert.equal(opened.events.filter(({ type }) => type === "retrying").length, 2);
    });
  }

  it("deploy updates the code after an image that Lambda does not see yet", async () => {
    await on.deploy(on.desiredFor());
    refuse(
      "UpdateFunctionCode",
      "Source image app@sha256:x does not exist. Provide a valid source image.",
      1,
    );
    assert.equal((await on.deploy(on.desiredFor("second"))).how, "updated");
  });

  it("deploy ends after a minute when the new role of a function stays unknown", async () => {
    await on.deploy(on.desiredFor());
    refuse("UpdateFunctionConfiguration", NOT_ASSUMABLE);
    const opened = openedApi(on.plane);
    const role = ROLE.replace("role/f", "role/new");
    const error = await failure(on.deploy(on.desiredFor("first", { settings: { role } }), opened));
    assert.equal(error.code, "AWS_REFUSED");
    assert.match(error.hint, /trust policy/);
    const waited = opened.pacing.waits.reduce((sum, wait) => sum + wait, 0);
    assert.ok(waited > 40_000 && waited <= 60_000, `waited ${waited} ms`);
  });
});

describe("what Lambda refuses for good", () => {
  const cases: readonly (readonly [
    name: string,
    message: string,
    exception: string,
    code: ErrorCode,
    exit: number,
    hint: RegExp,
  ])[] = [
    [
      "an image that Lambda may not pull, told as 403",
      NO_ACCESS,
      "AccessDeniedException",
      "DENIED",
      4,
      /lambda-pack repo policy <repository> --apply/,
    ],
    [
      "an image of another region or account",
      "Source image 1.dkr.ecr.x/app is not valid. Provide a valid source image.",
      "InvalidParameterValueException",
      "AWS_REFUSED",
      1,
      /account, region and repository/,
    ],
    [
      "an image of more than 10 GB",
      "Uncompressed container image size exceeds 10 GiB limit (10737418240 bytes).",
      "InvalidParameterValueException",
      "AWS_REFUSED",
      1,
      /lambda-pack inspect <image> shows the largest files/,
    ],
    [
      "an image of another architecture",
      "The architecture of the image does not match the function's architecture",
      "InvalidParameterValueException",
      "AWS_REFUSED",
      1,
      /--arch/,
    ],
    [
      "a weight for an alias with provisioned concurrency",
      "Alias with weights can not be used with Provisioned Concurrency",
      "InvalidParameterValueException",
      "AWS_REFUSED",
      1,
      /leave out --weight/,
    ],
    [
      "a KMS key that gives no grant",
      "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant. KMS Exception: DisabledException",
      "InvalidParameterValueException",
      "AWS_REFUSED",
      1,
      /KMS key of the variables is enabled.*kms:CreateGrant/,
    ],
  ];
  for (const [name, message, exception, code, exit, hint] of cases) {
    it(`deploy tells ${name} with what to correct`, async () => {
      refuse("CreateFunction", message, undefined, exception);
      const error = await failure(on.deploy(on.desiredFor()));
      assert.deepEqual([error.code, EXIT_STATUS[code]], [code, exit]);
      assert.match(error.hint, hint);
    });
  }
});

describe("names of an ECR repository", () => {
  const DIGEST = parseDigest(`sha256:${"ab".repeat(32)}`);
  for (const [uri, plain] of [
    ["123456789012.dkr-ecr.eu-west-1.on.aws/app", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"],
    [
      "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/app",
      "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app",
    ],
    [
      "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/app",
      "123456789012.dkr.ecr.us-east-1.amazonaws.com/app",
    ],
  ] as const) {
    it(`${uri} is pushed to under its own name, and named plainly to Lambda`, () => {
      const repository = parseRepositoryUri(uri, {});
      assert.ok(repository);
      assert.equal(repositoryUri("123456789012", repository), uri);
      assert.equal(lambdaUri(uri, DIGEST, {}), `${plain}@${DIGEST}`);
    });
  }
});
