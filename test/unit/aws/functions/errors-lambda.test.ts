import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attachmentsOf } from "../../../../src/aws/functions/create-function.ts";
import type { DeployContext } from "../../../../src/aws/functions/deploy-context.ts";
import { warm } from "../../../../src/aws/functions/deploy-function.ts";
import { factsOf } from "../../../../src/aws/functions/function-facts.ts";
import {
  createFunction,
  deleteFunction,
  findFunction,
  getLayerVersion,
  tagFunction,
  updateCode,
  updateSettings,
} from "../../../../src/aws/functions/functions.ts";
import { usedImages } from "../../../../src/aws/functions/image-use.ts";
import {
  applyAlias,
  findAlias,
  listAliases,
  listVersions,
  publishVersion,
} from "../../../../src/aws/functions/versions.ts";
import { openedApi } from "../../../support/aws/control-plane.ts";
import { documentedErrors, operationsOf } from "../../../support/aws/documented.ts";
import type { FakeFunction } from "../../../support/aws/functions.ts";
import { callOf, itTellsEach, type Meaning, type Refused } from "../../../support/aws/refused.ts";
import { failure, PLACE, ROLE, stage } from "../../../support/aws/stage.ts";
import { failing } from "../../../support/ecr/http/faults.ts";

const on = stage();
const settings = { role: ROLE };

function context(): DeployContext {
  return { api: openedApi(on.plane).api, place: PLACE, desired: on.desiredFor(), steps: [] };
}

/** Deployed once, for no call changes it: each is refused. */
let deployed: FakeFunction | undefined;

/** Makes a call on a function that is there. */
function onFunction(call: (context: DeployContext) => Promise<unknown>): () => Promise<unknown> {
  return async () => {
    deployed ??= await deploy();
    on.plane.lambda.functions.set(`${PLACE.region}/f`, deployed);
    return call(context());
  };
}

/** Deploys a function with a version, an alias and something new to publish. */
async function deploy(): Promise<FakeFunction> {
  const { lambda } = on.plane;
  const { fault } = lambda.origin;
  lambda.origin.fault = () => undefined;
  await on.deploy(on.desiredFor("first", { publish: true }));
  lambda.origin.fault = fault;
  const made = lambda.function("f");
  assert.ok(made);
  made.aliases.set("live", { Name: "live", FunctionVersion: "1" });
  return Object.assign(made, { digest: `sha256:${"a".repeat(64)}` });
}

const alias = { what: "move the alias live", version: "1", weights: {} };
const attached = onFunction(({ api }) => attachmentsOf(api, PLACE, factsOf({})));

const calls: Refused["calls"] = {
  CreateFunction: () => {
    const { api, desired } = context();
    return createFunction(api, PLACE, { ...desired, settings });
  },
  GetFunction: onFunction(({ api }) => findFunction(api, PLACE)),
  UpdateFunctionCode: onFunction(({ api, desired }) => updateCode(api, PLACE, factsOf({}), desired)),
  UpdateFunctionConfiguration: onFunction(({ api }) => updateSettings(api, PLACE, factsOf({}), settings)),
  TagResource: onFunction(({ api }) =>
    tagFunction(api, PLACE, "arn:aws:lambda:eu-west-1:123456789012:function:f", { team: "a" }),
  ),
  DeleteFunction: onFunction(({ api }) => deleteFunction(api, PLACE)),
  PublishVersion: onFunction(publishVersion),
  ListVersionsByFunction: onFunction(({ api }) => listVersions(api, PLACE)),
  ListAliases: onFunction(({ api }) => listAliases(api, PLACE)),
  GetAlias: onFunction(({ api }) => findAlias(api, PLACE, "live")),
  CreateAlias: onFunction((one) => applyAlias(one, "next", { ...alias, current: undefined })),
  UpdateAlias: onFunction((one) =>
    applyAlias(one, "live", { ...alias, current: { name: "live", version: "1", weights: {} } }),
  ),
  ListFunctions: onFunction(({ api }) => usedImages(api, "eu-west-1")),
  Invoke: onFunction((one) => warm(one, "1")),
  GetLayerVersion: onFunction(({ api }) => getLayerVersion(api, "eu-west-1", "layer", 1)),
  GetPolicy: attached,
  ListFunctionUrlConfigs: attached,
  ListEventSourceMappings: attached,
  ListFunctionEventInvokeConfigs: attached,
};

const QUOTA: Meaning = ["AWS_REFUSED", 1, /higher quota/];
const SIGNING: Meaning = ["AWS_REFUSED", 1, /code signing configuration/];
const VALUE: Meaning = ["AWS_REFUSED", 1, /correct the value/];
const KEY: Meaning = ["AWS_REFUSED", 1, /KMS key/];
const CALL: Meaning = ["AWS_REFUSED", 1, /leave out --warm/];
const FILES: Meaning = ["FUNCTION_FAILED", 1, /file system settings/];
const VPC: Meaning = ["FUNCTION_FAILED", 1, /VPC settings/];
const NETWORK: Meaning = ["FUNCTION_FAILED", 1, /network interfaces/];
const START: Meaning = ["FUNCTION_FAILED", 1, /lambda-pack check <image>/];
const SNAPSHOT: Meaning = ["FUNCTION_FAILED", 1, /snapshot/];
const LOAD: Meaning = ["FUNCTION_FAILED", 1, /deploy it again/];
const AGAIN: Meaning = ["REGISTRY_ANSWER", 5, /run it again/];

const meanings: Refused["meanings"] = {
  AliasLimitExceededException: QUOTA,
  CodeStorageExceededException: QUOTA,
  FunctionVersionsPerCapacityProviderLimitExceededException: QUOTA,
  ServiceQuotaExceededException: QUOTA,
  CodeSigningConfigNotFoundException: SIGNING,
  CodeVerificationFailedException: SIGNING,
  InvalidCodeSignatureException: SIGNING,
  InvalidParameterValueException: VALUE,
  PreconditionFailedException: ["FUNCTION_BUSY", 5, /run it again/],
  ResourceConflictException: ["FUNCTION_BUSY", 5, /run it again when that has ended/],
  ResourceNotFoundException: ["FUNCTION_NOT_FOUND", 1, /name, the account and the region/],
  "GetFunction ResourceNotFoundException": "answer",
  "DeleteFunction ResourceNotFoundException": "answer",
  "GetAlias ResourceNotFoundException": "answer",
  "GetPolicy ResourceNotFoundException": "answer",
  ServiceException: AGAIN,
  TooManyRequestsException: AGAIN,
  ResourceNotReadyException: AGAIN,
  EC2ThrottledException: AGAIN,
  EC2UnexpectedException: AGAIN,
  ENINotReadyException: AGAIN,
  CodeArtifactUserDeletedException: LOAD,
  CodeArtifactUserFailedException: LOAD,
  CodeArtifactUserPendingException: LOAD,
  EC2AccessDeniedException: VPC,
  InvalidSecurityGroupIDException: VPC,
  InvalidSubnetIDException: VPC,
  ENILimitReachedException: NETWORK,
  SubnetIPAddressLimitReachedException: NETWORK,
  EFSIOException: FILES,
  EFSMountConnectivityException: FILES,
  EFSMountFailureException: FILES,
  EFSMountTimeoutException: FILES,
  S3FilesMountConnectivityException: FILES,
  S3FilesMountFailureException: FILES,
  S3FilesMountTimeoutException: FILES,
  InvalidRuntimeException: START,
  InvalidZipFileException: START,
  KMSAccessDeniedException: KEY,
  KMSDisabledException: KEY,
  KMSInvalidStateException: KEY,
  KMSNotFoundException: KEY,
  DurableExecutionAlreadyStartedException: CALL,
  InvalidRequestContentException: CALL,
  ModeNotSupportedException: CALL,
  NoPublishedVersionException: CALL,
  RecursiveInvocationException: CALL,
  RequestTooLargeException: CALL,
  SerializedRequestEntityTooLargeException: CALL,
  UnsupportedMediaTypeException: CALL,
  SnapStartException: SNAPSHOT,
  SnapStartRegenerationFailureException: SNAPSHOT,
  SnapStartTimeoutException: SNAPSHOT,
  SnapStartNotReadyException: ["FUNCTION_BUSY", 5, /snapshot is still being made/],
};

function answer(status: number, exception: string, message: string) {
  const headers = { "x-amzn-errortype": exception };
  return { do: "answer", status, headers, body: JSON.stringify({ message }) } as const;
}

describe("each documented failure of each call to Lambda is told with its cause, a next step and an exit status:", () => {
  itTellsEach({
    errors: documentedErrors("lambda"),
    meanings,
    calls,
    refuse: ({ operation, exception, status }, message) => {
      on.plane.lambda.origin.fault = failing(operation, answer(status, exception, message));
    },
  });
});

describe("a permission that is missing is named, with who lacks it:", () => {
  for (const operation of operationsOf("lambda")) {
    const action = `lambda:${operation === "Invoke" ? "InvokeFunction" : operation}`;
    it(action, async () => {
      const words = `User: arn:aws:iam::123456789012:user/builder is not authorized to perform: ${action} on resource: arn:aws:lambda:eu-west-1:123456789012:function:f because no identity-based policy allows the ${action} action`;
      on.plane.lambda.origin.fault = failing(operation, answer(403, "AccessDeniedException", words));
      const error = await failure(callOf(calls, operation)());
      assert.equal(error.code, "DENIED");
      assert.ok(error.message.endsWith(`: ${action} is not allowed (${words})`), error.message);
      assert.equal(
        error.hint,
        `allow ${action} on the resource arn:aws:lambda:eu-west-1:123456789012:function:f in the IAM policy of arn:aws:iam::123456789012:user/builder`,
      );
    });

    it(`${action}, though AWS does not name it`, async () => {
      on.plane.lambda.origin.fault = failing(operation, answer(403, "AccessDeniedException", "no"));
      const error = await failure(callOf(calls, operation)());
      assert.match(error.message, new RegExp(`: ${action} is not allowed \\(no\\)$`));
    });
  }
});
