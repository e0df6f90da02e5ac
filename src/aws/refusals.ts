import { type ErrorCode, LambdaPackError } from "../errors.ts";
import { printable } from "../registry/errors/redact.ts";

/** How one of AWS's exceptions is reported to the user. */
interface Refusal {
  readonly name: RegExp;
  readonly message?: RegExp;
  readonly code: ErrorCode;
  readonly hint: string;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: /^(?:InvalidParameterValue|AccessDenied)(?:Exception)?$/,
    message: /permission to access the ECR image|ECR permissions/i,
    code: "DENIED",
    hint: "let Lambda pull from the repository: lambda-pack repo policy <repository> --apply",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /source image .* does not exist/i,
    code: "IMAGE_NOT_FOUND",
    hint: "push the image again, to a repository in the function's own region",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /source image .* is not valid/i,
    code: "AWS_REFUSED",
    hint: "Lambda takes images only of a private ECR repository in the function's own region, by its plain name <account>.dkr.ecr.<region>.amazonaws.com/<name>: check account, region and repository (--repo)",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /KMS|CreateGrant/,
    code: "AWS_REFUSED",
    hint: "check that the KMS key of the variables is enabled, that the execution role exists, and that the key's policy lets the caller use kms:CreateGrant and kms:Encrypt",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /execution role does not have permissions to call \w+ on EC2/i,
    code: "AWS_REFUSED",
    hint: "the function is in a VPC: attach AWSLambdaVPCAccessExecutionRole to its execution role",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /media type for the source image/i,
    code: "IMAGE_UNSUPPORTED",
    hint: "Lambda loads one plain manifest with gzip layers, no index and no attestation: lambda-pack push makes one of it",
  },
  {
    name: /^InvalidParameterValueException$/,
    message: /cannot be assumed by Lambda/i,
    code: "AWS_REFUSED",
    hint: "the role's trust policy has to allow sts:AssumeRole to the service lambda.amazonaws.com",
  },
  {
    name: /^(?:CodeStorageExceeded|AliasLimitExceeded|LimitExceeded|ServiceQuotaExceeded|FunctionVersionsPerCapacityProviderLimitExceeded|TooManyTags)(?:Exception)?$/,
    code: "AWS_REFUSED",
    hint: "delete what is not needed any more, or ask AWS for a higher quota",
  },
  {
    name: /^(?:CodeSigningConfigNotFound|CodeVerificationFailed|InvalidCodeSignature)Exception$/,
    code: "AWS_REFUSED",
    hint: "code signing is for zip packages: take the code signing configuration off the function",
  },
  {
    name: /^CodeArtifactUser(?:Pending|Failed|Deleted)Exception$/,
    code: "FUNCTION_FAILED",
    hint: "Lambda could not load the image of this version: deploy it again",
  },
  {
    name: /^KMS\w*Exception$|^KmsException$/,
    code: "AWS_REFUSED",
    hint: "check that the KMS key exists, is enabled, and that the caller and the function's role may use it",
  },
  {
    name: /^(?:EFS|S3Files)\w+Exception$/,
    code: "FUNCTION_FAILED",
    hint: "correct the file system settings of the function, its mount targets and security groups",
  },
  {
    name: /^(?:EC2AccessDenied|InvalidSecurityGroupID|InvalidSubnetID)Exception$/,
    code: "FUNCTION_FAILED",
    hint: "correct the VPC settings of the function; its execution role needs AWSLambdaVPCAccessExecutionRole",
  },
  {
    name: /^(?:ENILimitReached|SubnetIPAddressLimitReached)Exception$/,
    code: "FUNCTION_FAILED",
    hint: "give the function larger subnets or more of them, or ask AWS for more network interfaces",
  },
  {
    name: /^Invalid(?:Runtime|ZipFile)Exception$/,
    code: "FUNCTION_FAILED",
    hint: "lambda-pack check <image> finds out what Lambda does not take; correct it and deploy again",
  },
  {
    name: /^SnapStart(?:Timeout|RegenerationFailure)?Exception$/,
    code: "FUNCTION_FAILED",
    hint: "the code that runs before or after the snapshot failed: look into the function's log",
  },
  {
    name: /^SnapStartNotReadyException$/,
    code: "FUNCTION_BUSY",
    hint: "its snapshot is still being made: run it again when that has ended",
  },
  {
    name: /^(?:ModeNotSupported|NoPublishedVersion|RecursiveInvocation|UnsupportedMediaType|InvalidRequestContent|(?:Serialized)?Request(?:Entity)?TooLarge|DurableExecutionAlreadyStarted)Exception$/,
    code: "AWS_REFUSED",
    hint: "the function does not take a plain call with the event {}: leave out --warm",
  },
  {
    name: /^ResourceConflictException$/,
    code: "FUNCTION_BUSY",
    hint: "another change of the function is under way: run it again when that has ended",
  },
  {
    name: /^PreconditionFailedException$/,
    code: "FUNCTION_BUSY",
    hint: "somebody else changed the function at the same time: run it again",
  },
  {
    name: /^RepositoryNotFoundException$/,
    code: "REPOSITORY_NOT_FOUND",
    hint: "create it with lambda-pack repo create <name>, or correct the name",
  },
  {
    name: /^(?:(?:Image|LifecyclePolicy|RepositoryPolicy)NotFound|RepositoryAlreadyExists)Exception$/,
    code: "AWS_REFUSED",
    hint: "it was created or deleted in the meantime: run it again",
  },
  {
    name: /^ResourceNotFoundException$/,
    code: "FUNCTION_NOT_FOUND",
    hint: "check the name, the account and the region",
  },
  {
    name: /^(?:InvalidParameter(?:Value)?|Validation|InvalidTagParameter|InvalidLayer\w*)(?:Exception)?$/,
    code: "AWS_REFUSED",
    hint: "correct the value that the message names",
  },
];

/** Returns the error for an exception that says what is wrong with the request, else undefined. */
export function refusalOf(error: unknown, what: string): LambdaPackError | undefined {
  if (!(error instanceof Error) || error instanceof LambdaPackError) return undefined;
  const { name, message } = error;
  const found = REFUSALS.find(
    (refusal) => refusal.name.test(name) && (refusal.message?.test(message) ?? true),
  );
  return (
    found &&
    new LambdaPackError(found.code, `AWS refused to ${what}: ${name}: ${printable(message)}`, {
      hint: found.hint,
      cause: error,
    })
  );
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
    hint: "nothing was changed; run it again, and look for a proxy or an emulator on the way (--verbose)",
  });
}

/** Returns a `catch` handler that turns these exceptions of AWS into undefined. */
export function undefinedOn(...names: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (causedBy(error, ...names)) return undefined;
    throw error;
  };
}
