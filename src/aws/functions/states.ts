import { LambdaPackError } from "../../errors.ts";
import { hexOf } from "../../oci/digest.ts";
import type { Condition, FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";

/** Returns whether no change of the function is in progress. */
export function isSettled({ state, lastUpdate }: FunctionFacts): boolean {
  return !["Pending", "Deactivating", "Deleting"].includes(state.value) && lastUpdate.value !== "InProgress";
}

/** Formats a state: `Active`, `Active, update InProgress`. */
export function formatState({ state, lastUpdate }: FunctionFacts): string {
  return lastUpdate.value === "Successful" ? state.value : `${state.value}, update ${lastUpdate.value}`;
}

/** Returns the state that needs an explanation: one that serves no calls, or a failed update. */
export function troubleOf({ state, lastUpdate }: FunctionFacts): Condition | undefined {
  if (!["Active", "Pending"].includes(state.value)) return state;
  return lastUpdate.value === "Failed" ? lastUpdate : undefined;
}

/** Explains in one line what is wrong and how to correct it; undefined if nothing is wrong. */
export function explain(facts: FunctionFacts): string | undefined {
  const trouble = troubleOf(facts);
  if (!trouble) return undefined;
  const said = [trouble.code, trouble.reason].filter((part) => part !== undefined).join(": ");
  const { means, cure } = reasonFor(facts, trouble);
  return `${trouble.value}${said === "" ? "" : ` (${said})`}: ${means}; ${cure}`;
}

/** Returns the error for a function, an update or a version that ended as Failed. */
export function failed(place: FunctionPlace, facts: FunctionFacts): LambdaPackError {
  const isUpdate = facts.state.value !== "Failed" && facts.lastUpdate.value === "Failed";
  const trouble = isUpdate ? facts.lastUpdate : facts.state;
  const { means, cure } = reasonFor(facts, trouble);
  const what = isUpdate
    ? "the update of"
    : facts.version === "$LATEST"
      ? "the function"
      : `version ${facts.version} of`;
  const words = [trouble.code, trouble.reason].filter((part) => part !== undefined).join(": ");
  const serving = isUpdate ? `; the code from before${shortOf(facts)} keeps serving` : "";
  return new LambdaPackError(
    "FUNCTION_FAILED",
    `${what} ${formatPlace(place)} ended as ${trouble.value}: ${words || "Lambda gives no reason"}${serving}`,
    { hint: `${means}; ${cure}` },
  );
}

/** Returns a reason with the function's own names in its cure. */
function reasonFor({ arn, imageUri }: FunctionFacts, trouble: Condition): Reason {
  const { means, cure } = reasonOf(trouble);
  const name = /:function:([^:]+)/.exec(arn)?.[1] ?? "<function>";
  const repository = imageUri?.replace(/[:@][^/]*$/, "") ?? "<repository>";
  return { means, cure: cure.replace("<function>", name).replace("<repository>", repository) };
}

function shortOf({ digest }: FunctionFacts): string {
  return digest ? ` (sha256:${hexOf(digest).slice(0, 12)}…)` : "";
}

/** The meaning of a reason code and what to do, both in lower case and without a full stop. */
interface Reason {
  readonly means: string;
  readonly cure: string;
}

const POLICY = "lambda-pack repo policy <repository> --apply lets Lambda pull, then deploy again";
const CHECK = "lambda-pack check <image> finds out what Lambda does not take; correct it and deploy again";
const AGAIN = "deploy again in a while";
const VPC = "correct the VPC settings of the function";
const KMS = "correct the key or its policy, for the function's role and the caller, then deploy again";
const FILES = "correct the file system settings of the function, its mount targets and security groups";
const CAPACITY = "wait, or ask AWS for a higher quota, then deploy again";

const IDLE: Reason = {
  means: "it was not called for weeks, and Lambda released its resources",
  cure: "call it once: that call fails and brings it back within a minute; or deploy again",
};

/** Every StateReasonCode and LastUpdateStatusReasonCode of the API (client-lambda 3.1164). */
const REASONS: Readonly<Record<string, Reason>> = {
  Idle: IDLE,
  Creating: { means: "it is being created", cure: "wait: lambda-pack status <function> --wait" },
  Restoring: { means: "it was idle and is coming back", cure: "wait: lambda-pack status <function> --wait" },
  DrainingDurableExecutions: {
    means: "durable executions of it are still running",
    cure: "wait until they have ended",
  },
  ImageDeleted: {
    means: "its image is no longer in the repository",
    cure: "push the same image again, or deploy another; lambda-pack prune never deletes one that is used",
  },
  ImageAccessDenied: { means: "Lambda may not pull the image from its repository", cure: POLICY },
  InvalidImage: { means: "Lambda cannot load this image", cure: CHECK },
  InvalidConfiguration: {
    means: "its settings do not fit together or do not fit the image",
    cure: "correct the setting that the message names, then deploy again",
  },
  InvalidRuntime: { means: "the runtime in the image is not one that Lambda runs", cure: CHECK },
  InvalidZipFileException: {
    means: "the zip package cannot be read",
    cure: "deploy an image in a function of its own",
  },
  InternalError: { means: "something went wrong within Lambda", cure: AGAIN },
  DependencyError: { means: "a service that Lambda needs did not answer", cure: AGAIN },
  InsufficientRolePermissions: {
    means: "the execution role lacks a permission that the function's settings need",
    cure: "give the role the permission that the message names (a VPC needs AWSLambdaVPCAccessExecutionRole)",
  },
  DisabledKMSKey: { means: "its KMS key is disabled", cure: KMS },
  InvalidStateKMSKey: { means: "its KMS key is in a state in which it cannot be used", cure: KMS },
  KMSKeyAccessDenied: { means: "the KMS key may not be used", cure: KMS },
  KMSKeyNotFound: { means: "its KMS key no longer exists", cure: KMS },
  EniLimitExceeded: { means: "the VPC has no network interface left for it", cure: CAPACITY },
  InvalidSecurityGroup: { means: "a security group of the function is not there", cure: VPC },
  InvalidSubnet: { means: "a subnet of the function is not there", cure: VPC },
  SubnetOutOfIPAddresses: {
    means: "its subnets have no address left",
    cure: "give it larger subnets, or more of them",
  },
  DisallowedByVpcEncryptionControl: { means: "the VPC's encryption control does not allow it", cure: VPC },
  EFSIOError: { means: "its file system cannot be read", cure: FILES },
  EFSMountConnectivityError: { means: "its file system cannot be reached", cure: FILES },
  EFSMountFailure: { means: "its file system cannot be mounted", cure: FILES },
  EFSMountTimeout: { means: "its file system was not mounted in time", cure: FILES },
  EC2RequestLimitExceeded: { means: "EC2 throttles what Lambda asks of it", cure: CAPACITY },
  CapacityProviderScalingLimitExceeded: { means: "its capacity provider is at its limit", cure: CAPACITY },
  InsufficientCapacity: { means: "AWS has no capacity left for it there", cure: CAPACITY },
  ServiceQuotaExceededException: { means: "a quota of the account is reached", cure: CAPACITY },
  VcpuLimitExceeded: { means: "the account's limit of vCPUs is reached", cure: CAPACITY },
  FunctionError: {
    means: "the image could not be started",
    cure: "look into the function's log, correct it and deploy again",
  },
  "FunctionError.InitTimeout": {
    means: "the start took longer than it may",
    cure: "do less before the handler is called, or give it more memory",
  },
  "FunctionError.RuntimeInitError": {
    means:
      "the runtime failed while it started: the handler's module could not be loaded, or its own code threw",
    cure: "look into the function's log; lambda-pack check <image> finds handlers that are not there",
  },
  "FunctionError.ExtensionInitError": {
    means: "an extension in /opt/extensions failed while it started",
    cure: "look into the function's log, correct or remove the extension",
  },
  "FunctionError.InvalidEntryPoint": {
    means: "ENTRYPOINT is not an absolute path to an executable file for this architecture",
    cure: CHECK,
  },
  "FunctionError.InvalidWorkingDirectory": { means: "WORKDIR is not a directory of the image", cure: CHECK },
  "FunctionError.PermissionDenied": {
    means: "Lambda's user may not read or execute what the image starts with",
    cure: CHECK,
  },
  "FunctionError.TooManyExtensions": {
    means: "there are more than ten extensions in /opt/extensions",
    cure: "leave some of them out",
  },
  "FunctionError.InitResourceExhausted": {
    means: "the start used more memory, processes or file handles than there are",
    cure: "give it more memory, or do less before the handler is called",
  },
};

/** The reasons of states that have no reason code. */
const STATES: Readonly<Record<string, Reason>> = {
  Inactive: IDLE,
  ActiveNonInvocable: { means: "it exists and cannot be called", cure: "look at its capacity provider" },
  Deactivating: { means: "Lambda is releasing its resources", cure: "wait until it is Deactivated" },
  Deactivated: {
    means: "it is switched off",
    cure: "switch it on in the console or with the API, then deploy again",
  },
  Deleting: {
    means: "it is being deleted",
    cure: "wait until it is gone, then deploy again to create it",
  },
};

export const KNOWN_REASONS: readonly string[] = Object.keys(REASONS);

export function reasonOf({ value, code = "" }: Condition): Reason {
  return (
    REASONS[code] ??
    STATES[value] ?? {
      means: "this version of lambda-pack does not know the reason",
      cure: "see Lambda's own words",
    }
  );
}
