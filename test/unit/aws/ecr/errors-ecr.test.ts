import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deleteImages, findImage } from "../../../../src/aws/ecr/images.ts";
import { ensureLifecycle } from "../../../../src/aws/ecr/lifecycle.ts";
import { readLinks } from "../../../../src/aws/ecr/owners.ts";
import {
  ensureRepository,
  findRepository,
  ownAccount,
  readPolicy,
  writePolicy,
} from "../../../../src/aws/ecr/repositories.ts";
import { emptyDocument } from "../../../../src/aws/policy/policy-document.ts";
import { digestOf } from "../../../../src/oci/digest.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { documentedErrors, operationsOf } from "../../../support/aws/documented.ts";
import { placeImage } from "../../../support/aws/images.ts";
import { callOf, itTellsEach, type Meaning, type Refused } from "../../../support/aws/refused.ts";
import { failure, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();
const repository = { name: "app", region: "eu-west-1", fips: false, dualStack: false };
const image = digestOf("an image");
const api = () => openedApi(on.plane).api;

/** Makes a call on a repository that is there. */
function onRepository(call: () => Promise<unknown>): () => Promise<unknown> {
  return () => {
    placeImage(on.plane.ecr);
    return call();
  };
}

const calls: Refused["calls"] = {
  GetAuthorizationToken: () => ownAccount(api(), repository),
  CreateRepository: () => ensureRepository(api(), repository, {}),
  DescribeRepositories: onRepository(() => findRepository(api(), repository)),
  DescribeImages: onRepository(() => findImage(api(), repository, image)),
  BatchGetImage: onRepository(() =>
    readLinks(api(), repository, [{ digest: image, tags: [], size: 0, pushedAtMs: 0 }]),
  ),
  BatchDeleteImage: onRepository(() => deleteImages(api(), repository, [image])),
  GetRepositoryPolicy: onRepository(() => readPolicy(api(), repository)),
  SetRepositoryPolicy: onRepository(() => writePolicy(api(), repository, emptyDocument())),
  DeleteRepositoryPolicy: onRepository(() => writePolicy(api(), repository, undefined)),
  GetLifecyclePolicy: onRepository(() => ensureLifecycle(api(), repository, 14)),
  PutLifecyclePolicy: onRepository(() => ensureLifecycle(api(), repository, 14)),
};

const QUOTA: Meaning = ["AWS_REFUSED", 1, /higher quota/];
const VALUE: Meaning = ["AWS_REFUSED", 1, /correct the value/];

const meanings: Refused["meanings"] = {
  InvalidParameterException: VALUE,
  InvalidTagParameterException: VALUE,
  ValidationException: VALUE,
  LimitExceededException: QUOTA,
  TooManyTagsException: QUOTA,
  UnableToGetUpstreamImageException: ["REGISTRY_ANSWER", 5, /run it again/],
  KmsException: ["AWS_REFUSED", 1, /KMS key/],
  RepositoryNotFoundException: ["REPOSITORY_NOT_FOUND", 1, /repo create/],
  ServerException: ["REGISTRY_ANSWER", 5, /run it again/],
  "DescribeRepositories RepositoryNotFoundException": "answer",
  "DescribeImages RepositoryNotFoundException": "answer",
  "DescribeImages ImageNotFoundException": "answer",
  "GetRepositoryPolicy RepositoryPolicyNotFoundException": "answer",
  "DeleteRepositoryPolicy RepositoryPolicyNotFoundException": "answer",
  "GetLifecyclePolicy LifecyclePolicyNotFoundException": "answer",
  "CreateRepository RepositoryAlreadyExistsException": "answer",
};

function answer(status: number, exception: string, message: string) {
  return { do: "answer", status, body: JSON.stringify({ __type: exception, message }) } as const;
}

describe("each documented failure of each call to ECR is told with its cause, a next step and an exit status:", () => {
  itTellsEach({
    errors: documentedErrors("ecr"),
    meanings,
    calls,
    refuse: ({ operation, exception, status }, message) => {
      const fault = failing(operation, answer(status, exception, message));
      on.plane.ecrApi.origin.fault = (request) => {
        // Who is told that it exists looks for it, and finds it.
        if (exception === "RepositoryAlreadyExistsException" && request.kind === operation)
          on.plane.ecr.repository("app");
        return fault(request);
      };
    },
  });
});

describe("a permission that is missing is named, with who lacks it:", () => {
  for (const operation of operationsOf("ecr")) {
    const action = `ecr:${operation}`;
    const resource =
      operation === "GetAuthorizationToken" ? "*" : "arn:aws:ecr:eu-west-1:123456789012:repository/app";
    const words = `User: arn:aws:iam::123456789012:user/builder is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`;

    it(action, async () => {
      on.plane.ecrApi.origin.fault = failing(operation, answer(400, "AccessDeniedException", words));
      const error = await failure(callOf(calls, operation)());
      assert.equal(error.code, "DENIED");
      assert.ok(error.message.endsWith(`: ${action} is not allowed (${words})`), error.message);
      assert.equal(
        error.hint,
        `allow ${action} on the resource ${resource} in the IAM policy of arn:aws:iam::123456789012:user/builder`,
      );
    });

    it(`${action}, though AWS does not name it`, async () => {
      on.plane.ecrApi.origin.fault = failing(operation, answer(400, "AccessDeniedException", "no"));
      const error = await failure(callOf(calls, operation)());
      assert.match(error.message, new RegExp(`: ${action} is not allowed \\(no\\)$`));
    });
  }
});
