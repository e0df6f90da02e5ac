import { LambdaPackError } from "../../errors.ts";
import { hexOf } from "../../oci/digest.ts";
import type { Condition, FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, formatVersion } from "./function-name.ts";

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
  const reason = lambdaReason(trouble);
  return `${trouble.value}${reason === "" ? "" : ` (${reason})`}: ${adviceFor(facts, trouble)}`;
}

/** Returns the error for a function, an update or a version that ended as Failed. */
export function failed(place: FunctionPlace, facts: FunctionFacts): LambdaPackError {
  const isUpdate = facts.state.value !== "Failed" && facts.lastUpdate.value === "Failed";
  const trouble = isUpdate ? facts.lastUpdate : facts.state;
  const ended = isUpdate ? `the update of ${formatPlace(place)}` : formatVersion(place, facts.version);
  const reason = lambdaReason(trouble) || "Lambda gives no reason";
  const short = facts.digest ? ` (sha256:${hexOf(facts.digest).slice(0, 12)}…)` : "";
  const serving = isUpdate ? `; the code from before${short} keeps serving` : "";
  return new LambdaPackError("FUNCTION_FAILED", `${ended} ended as ${trouble.value}: ${reason}${serving}`, {
    hint: adviceFor(facts, trouble),
  });
}

function lambdaReason({ code, reason }: Condition): string {
  return [code, reason].filter((part) => part !== undefined).join(": ");
}

/** Returns the meaning of a state and the fix, with the names of the function and its repository. */
function adviceFor({ arn, imageUri }: FunctionFacts, trouble: Condition): string {
  const name = /:function:([^:]+)/.exec(arn)?.[1] ?? "<function>";
  const repository = imageUri?.replace(/[:@][^/]*$/, "") ?? "<repository>";
  return reasonOf(trouble).join("; ").replace("<function>", name).replace("<repository>", repository);
}

/** Both in lower case and without a full stop. */
type Reason = readonly [meaning: string, fix: string];

const POLICY = "lambda-pack repo policy <repository> --apply lets Lambda pull, then deploy again";
const CHECK = "lambda-pack check <image> shows what Lambda refuses; correct it and deploy again";
const AGAIN = "deploy again in a while";
const VPC = "correct the VPC settings of the function";
const KMS = "correct the key or its policy, for the function's role and the caller, then deploy again";
const FILES = "correct the file system settings of the function, its mount targets and security groups";
const CAPACITY = "wait, or ask AWS for a higher quota, then deploy again";

const WAIT = "wait: lambda-pack status <function> --wait";
const INACTIVE: Reason = [
  "it was not called for weeks, and Lambda released its resources",
  "call it once: that call fails and brings it back within a minute; or deploy again",
];

/** Every StateReasonCode and LastUpdateStatusReasonCode of the API (client-lambda 3.1164). */
const REASONS: Readonly<Record<string, Reason>> = {
  Idle: INACTIVE,
  Creating: ["it is being created", WAIT],
  Restoring: ["it was idle and is coming back", WAIT],
  DrainingDurableExecutions: ["durable executions of it are still running", "wait until they have ended"],
  ImageDeleted: [
    "its image is no longer in the repository",
    "push the same image again, or deploy another; lambda-pack prune never deletes one that is used",
  ],
  ImageAccessDenied: ["Lambda may not pull the image from its repository", POLICY],
  InvalidImage: ["Lambda cannot load this image", CHECK],
  InvalidConfiguration: [
    "its settings do not fit together or do not fit the image",
    "correct the setting that the message names, then deploy again",
  ],
  InvalidRuntime: ["the runtime in the image is not one that Lambda runs", CHECK],
  InvalidZipFileException: ["the zip package cannot be read", "deploy an image in a function of its own"],
  InternalError: ["something went wrong within Lambda", AGAIN],
  DependencyError: ["a service that Lambda needs did not answer", AGAIN],
  InsufficientRolePermissions: [
    "the execution role lacks a permission that the function's settings need",
    "give the role the permission that the message names (a VPC needs AWSLambdaVPCAccessExecutionRole)",
  ],
  DisabledKMSKey: ["its KMS key is disabled", KMS],
  InvalidStateKMSKey: ["its KMS key is in a state in which it cannot be used", KMS],
  KMSKeyAccessDenied: ["the KMS key may not be used", KMS],
  KMSKeyNotFound: ["its KMS key no longer exists", KMS],
  EniLimitExceeded: ["the VPC has no network interface left for it", CAPACITY],
  InvalidSecurityGroup: ["a security group of the function does not exist", VPC],
  InvalidSubnet: ["a subnet of the function does not exist", VPC],
  SubnetOutOfIPAddresses: ["its subnets have no address left", "give it larger subnets, or more of them"],
  DisallowedByVpcEncryptionControl: ["the VPC's encryption control does not allow it", VPC],
  EFSIOError: ["its file system cannot be read", FILES],
  EFSMountConnectivityError: ["its file system cannot be reached", FILES],
  EFSMountFailure: ["its file system cannot be mounted", FILES],
  EFSMountTimeout: ["its file system was not mounted in time", FILES],
  EC2RequestLimitExceeded: ["EC2 throttles what Lambda asks of it", CAPACITY],
  CapacityProviderScalingLimitExceeded: ["its capacity provider is at its limit", CAPACITY],
  InsufficientCapacity: ["AWS has no capacity left for it there", CAPACITY],
  ServiceQuotaExceededException: ["a quota of the account is reached", CAPACITY],
  VcpuLimitExceeded: ["the account's limit of vCPUs is reached", CAPACITY],
  FunctionError: ["the image could not be started", "read the function's log, correct it and deploy again"],
  "FunctionError.InitTimeout": [
    "the start took longer than it may",
    "do less before the handler is called, or give it more memory",
  ],
  "FunctionError.RuntimeInitError": [
    "the runtime failed while it started: the handler's module could not be loaded, or its own code threw",
    "read the function's log; lambda-pack check <image> finds handlers that do not exist",
  ],
  "FunctionError.ExtensionInitError": [
    "an extension in /opt/extensions failed while it started",
    "read the function's log, correct or remove the extension",
  ],
  "FunctionError.InvalidEntryPoint": [
    "ENTRYPOINT is not an absolute path to an executable file for this architecture",
    CHECK,
  ],
  "FunctionError.InvalidWorkingDirectory": ["WORKDIR is not a directory of the image", CHECK],
  "FunctionError.PermissionDenied": [
    "Lambda's user may not read or execute what the image starts with",
    CHECK,
  ],
  "FunctionError.TooManyExtensions": [
    "there are more than ten extensions in /opt/extensions",
    "leave some of them out",
  ],
  "FunctionError.InitResourceExhausted": [
    "the start used more memory, processes or file handles than there are",
    "give it more memory, or do less before the handler is called",
  ],
};

/** The reasons of states that have no reason code. */
const STATES: Readonly<Record<string, Reason>> = {
  Inactive: INACTIVE,
  ActiveNonInvocable: ["it exists and cannot be called", "look at its capacity provider"],
  Deactivating: ["Lambda is releasing its resources", "wait until it is Deactivated"],
  Deactivated: ["it is switched off", "switch it on in the console or with the API, then deploy again"],
  Deleting: ["it is being deleted", "wait until it is gone, then deploy again to create it"],
};

export const KNOWN_REASONS: readonly string[] = Object.keys(REASONS);

export function reasonOf({ value, code = "" }: Condition): Reason {
  const unknown = ["this version of lambda-pack does not know the reason", "see Lambda's own words"] as const;
  return REASONS[code] ?? STATES[value] ?? unknown;
}
