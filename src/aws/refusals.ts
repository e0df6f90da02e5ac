import { type ErrorCode, hasCode, LambdaPackError } from "../errors.ts";
import { printable } from "../registry/errors/redact.ts";
import type { AwsApi } from "./api.ts";

/**
 * AWS's exceptions that say what is wrong with a request, as `name: message`, with the fix. The
 * first that fits counts.
 */
const REFUSALS: Partial<Readonly<Record<ErrorCode, readonly (readonly [text: RegExp, fix: string])[]>>> = {
  DENIED: [
    [
      /^(?:InvalidParameterValue|AccessDenied)(?:Exception)?: .*(?:permission to access the ECR image|ECR permissions)/i,
      "let Lambda pull from the repository: lambda-pack repo policy <repository> --apply",
    ],
  ],
  IMAGE_NOT_FOUND: [
    [
      /^InvalidParameterValueException: .*source image .* does not exist/i,
      "push the image again, to a repository in the function's own region",
    ],
  ],
  IMAGE_UNSUPPORTED: [
    [
      /^InvalidParameterValueException: .*media type for the source image/i,
      "Lambda loads one plain manifest with gzip layers, no index and no attestation: lambda-pack push makes one of it",
    ],
  ],
  FUNCTION_FAILED: [
    [
      /^CodeArtifactUser(?:Pending|Failed|Deleted)Exception:/,
      "Lambda could not load the image of this version: deploy it again",
    ],
    [
      /^(?:EFS|S3Files)\w+Exception:/,
      "correct the file system settings of the function, its mount targets and security groups",
    ],
    [
      /^(?:EC2AccessDenied|InvalidSecurityGroupID|InvalidSubnetID)Exception:/,
      "correct the VPC settings of the function; its execution role needs AWSLambdaVPCAccessExecutionRole",
    ],
    [
      /^(?:ENILimitReached|SubnetIPAddressLimitReached)Exception:/,
      "give the function larger subnets or more of them, or ask AWS for more network interfaces",
    ],
    [
      /^Invalid(?:Runtime|ZipFile)Exception:/,
      "lambda-pack check <image> shows what Lambda refuses; correct it and deploy again",
    ],
    [
      /^SnapStart(?:Timeout|RegenerationFailure)?Exception:/,
      "the code that runs before or after the snapshot failed: read the function's log",
    ],
  ],
  FUNCTION_BUSY: [
    [/^SnapStartNotReadyException:/, "its snapshot is still being made: run it again when that has ended"],
    [
      /^ResourceConflictException:/,
      "another change of the function is under way: run it again when that has ended",
    ],
    [/^PreconditionFailedException:/, "somebody else changed the function at the same time: run it again"],
  ],
  REPOSITORY_NOT_FOUND: [
    [/^RepositoryNotFoundException:/, "create it with lambda-pack repo create <name>, or correct the name"],
  ],
  FUNCTION_NOT_FOUND: [[/^ResourceNotFoundException:/, "check the name, the account and the region"]],
  AWS_REFUSED: [
    [
      /^InvalidParameterValueException: .*source image .* is not valid/i,
      "Lambda takes images only of a private ECR repository in the function's own region, by its plain name <account>.dkr.ecr.<region>.amazonaws.com/<name>: check account, region and repository (--repo)",
    ],
    [
      /^InvalidParameterValueException: .*image size exceeds/i,
      "Lambda loads at most 10 GB, uncompressed: lambda-pack inspect <image> shows the largest files; leave them out with .lambdaignore, or take a smaller base",
    ],
    [
      /^InvalidParameterValueException: .*architecture/i,
      "build the image for the function's architecture (--arch), or deploy it to another function",
    ],
    [
      /^InvalidParameterValueException: .*weights .*Provisioned Concurrency/i,
      "leave out --weight, or take the provisioned concurrency off the alias: aws lambda delete-provisioned-concurrency-config",
    ],
    [
      /^InvalidParameterValueException: .*(?:KMS|CreateGrant)/,
      "check that the KMS key of the variables is enabled, that the execution role exists, and that the key's policy lets the caller use kms:CreateGrant and kms:Encrypt",
    ],
    [
      /^InvalidParameterValueException: .*execution role does not have permissions to call \w+ on EC2/i,
      "the function is in a VPC: attach AWSLambdaVPCAccessExecutionRole to its execution role",
    ],
    [
      /^InvalidParameterValueException: .*cannot be assumed by Lambda/i,
      "the role's trust policy has to allow sts:AssumeRole to the service lambda.amazonaws.com",
    ],
    [
      /^(?:CodeStorageExceeded|AliasLimitExceeded|LimitExceeded|ServiceQuotaExceeded|FunctionVersionsPerCapacityProviderLimitExceeded|TooManyTags)(?:Exception)?:/,
      "delete what is not needed any more, or ask AWS for a higher quota",
    ],
    [
      /^(?:CodeSigningConfigNotFound|CodeVerificationFailed|InvalidCodeSignature)Exception:/,
      "code signing is for zip packages: take the code signing configuration off the function",
    ],
    [
      /^K(?:MS\w*|ms)Exception:/,
      "check that the KMS key exists, is enabled, and that the caller and the function's role may use it",
    ],
    [
      /^(?:ModeNotSupported|NoPublishedVersion|RecursiveInvocation|UnsupportedMediaType|InvalidRequestContent|(?:Serialized)?Request(?:Entity)?TooLarge|DurableExecutionAlreadyStarted)Exception:/,
      "the function cannot be called with the event {}: leave out --warm",
    ],
    [
      /^(?:(?:Image|LifecyclePolicy|RepositoryPolicy)NotFound|RepositoryAlreadyExists)Exception:/,
      "it was created or deleted in the meantime: run it again",
    ],
    [
      /^(?:InvalidParameter(?:Value)?|Validation|InvalidTagParameter|InvalidLayer\w*)(?:Exception)?:/,
      "correct the value that the message names",
    ],
  ],
};

/** Returns the error for an exception that says what is wrong with the request, else undefined. */
export function refusalOf(cause: unknown, what: string): LambdaPackError | undefined {
  if (!(cause instanceof Error) || cause instanceof LambdaPackError) return undefined;
  const text = `${cause.name}: ${cause.message}`.replaceAll("\n", " ");
  for (const [code, refusals] of Object.entries(REFUSALS)) {
    const [, hint] = refusals.find(([known]) => known.test(text)) ?? [];
    // The keys of the table are error codes.
    if (hint !== undefined)
      return new LambdaPackError(code as ErrorCode, `AWS refused to ${what}: ${printable(text)}`, {
        hint,
        cause,
      });
  }
  return undefined;
}

/** Returns whether AWS refused with one of these exceptions, named as in the API reference. */
export function causedBy(
  error: unknown,
  ...names: readonly string[]
): error is LambdaPackError & { readonly cause: Error } {
  return error instanceof LambdaPackError && error.cause instanceof Error && names.includes(error.cause.name);
}

/**
 * Returns the error for an answer without a required field, which must not be read as a refusal or
 * an empty list.
 */
export function incomplete(about: string, missing: string): LambdaPackError {
  return new LambdaPackError("REGISTRY_ANSWER", `the answer of AWS about ${about} has no ${missing}`, {
    hint: "run it again, and look for a proxy or an emulator on the way (--verbose); nothing was changed",
  });
}

/** Returns a field that the answer has to have. @throws REGISTRY_ANSWER if it is undefined. */
export function present<T>(value: T | undefined, about: string, name: string): T {
  if (value === undefined) throw incomplete(about, name);
  return value;
}

/** Returns a `catch` handler that turns these exceptions of AWS into undefined. */
export function undefinedOn(...names: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (causedBy(error, ...names)) return undefined;
    throw error;
  };
}

/** Returns undefined, with a warning, if the caller may not see the answer. */
export async function unlessDenied<T>({ emit }: AwsApi, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    const isHidden = hasCode(error, "DENIED", "REPOSITORY_NOT_FOUND");
    if (!isHidden || !(error instanceof LambdaPackError)) throw error;
    const { message, hint } = error;
    emit({ type: "warning", message, ...(hint !== undefined && { hint }) });
    return undefined;
  }
}
