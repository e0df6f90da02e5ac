import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  GetFunctionResponse,
} from "@aws-sdk/client-lambda";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import { type UnreadablePart, unreadableParts } from "./unreadable.ts";

/** The settings of a function, other than its image, by the names of deploy's options. */
export interface FunctionSettings {
  readonly role: string;
  /** In MB. */
  readonly memory: number;
  /** In seconds. */
  readonly timeout: number;
  /** MB of /tmp. */
  readonly ephemeralStorage: number;
  readonly env: Readonly<Record<string, string>>;
  /** Overrides the image's ENTRYPOINT; null: no override. */
  readonly entrypoint: readonly string[] | null;
  /** Overrides the image's CMD; null: no override. */
  readonly cmd: readonly string[] | null;
  /** Overrides the image's WORKDIR; null: no override. */
  readonly workdir: string | null;
}

type Unreadable = "env" | "entrypoint" | "cmd" | "workdir";

/** Settings as they were read, without those that could not be read. */
export type ReadSettings = Omit<FunctionSettings, Unreadable> & Partial<Pick<FunctionSettings, Unreadable>>;

/** Returns the complete values of `wanted`: variables are added to those of the function. */
export function mergedSettings(
  { env = {} }: ReadSettings,
  wanted: Partial<FunctionSettings>,
): Partial<FunctionSettings> {
  return { ...wanted, ...(wanted.env && { env: { ...env, ...wanted.env } }) };
}

/** A state of a function, with Lambda's reason for it. */
export interface Condition {
  /**
   * State: Pending, Active, Inactive, Failed, ...; LastUpdateStatus: InProgress, Successful,
   * Failed.
   */
  readonly value: string;
  readonly reason?: string;
  readonly code?: string;
}

/** A function, or one of its versions, as GetFunction describes it. */
export interface FunctionFacts {
  /** ARN of the function or version. */
  readonly arn: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly packageType: string;
  readonly state: Condition;
  readonly lastUpdate: Condition;
  /** Digest of the image's manifest; undefined for a Zip function. */
  readonly digest?: Digest;
  /** As it was given to Lambda. */
  readonly imageUri?: string;
  readonly codeSha256: string;
  readonly architecture: Architecture;
  readonly revisionId?: string;
  /** Without unreadable ones; an unreadable role, memory or timeout has a placeholder. */
  readonly settings: ReadSettings;
  /** Parts that the answer lacks: they must neither be written back nor count as empty. */
  readonly unreadable: readonly UnreadablePart[];
  readonly others: OtherSettings;
  /** Only the function itself has tags and reserved concurrency, not its versions. */
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
}

export function factsOf(answer: GetFunctionResponse): FunctionFacts {
  const { Configuration = {}, Code, Tags = {}, Concurrency } = answer;
  const reservedConcurrency = Concurrency?.ReservedConcurrentExecutions;
  const digest = digestOf(Code?.ResolvedImageUri, Configuration);
  const { State = "Active", LastUpdateStatus = "Successful" } = Configuration;
  return {
    arn: Configuration.FunctionArn ?? "",
    version: Configuration.Version ?? "$LATEST",
    packageType: Configuration.PackageType ?? "Zip",
    state: conditionOf(State, Configuration.StateReason, Configuration.StateReasonCode),
    lastUpdate: conditionOf(
      LastUpdateStatus,
      Configuration.LastUpdateStatusReason,
      Configuration.LastUpdateStatusReasonCode,
    ),
    ...(digest && { digest }),
    ...(Code?.ImageUri !== undefined && { imageUri: Code.ImageUri }),
    codeSha256: Configuration.CodeSha256 ?? "",
    architecture: Configuration.Architectures?.[0] === "arm64" ? "arm64" : "x86_64",
    ...(Configuration.RevisionId !== undefined && { revisionId: Configuration.RevisionId }),
    settings: settingsOf(Configuration),
    unreadable: unreadableParts(answer),
    others: otherSettings(Configuration),
    tags: Tags,
    ...(reservedConcurrency !== undefined && { reservedConcurrency }),
  };
}

/**
 * Returns the digest of the function's image from the resolved URI, else from CodeSha256, which is
 * the manifest's digest without `sha256:` (terraform-provider-aws#36943).
 */
export function digestOf(
  resolved: string | undefined,
  { PackageType, CodeSha256 = "" }: FunctionConfiguration,
): Digest | undefined {
  if (PackageType !== "Image") return undefined;
  const named = resolved?.split("@")[1] ?? `sha256:${CodeSha256}`;
  return isDigest(named) ? named : undefined;
}

function settingsOf(configuration: FunctionConfiguration): ReadSettings {
  const { Environment, ImageConfigResponse } = configuration;
  const { EntryPoint, Command, WorkingDirectory } = ImageConfigResponse?.ImageConfig ?? {};
  const overrides = {
    entrypoint: EntryPoint ?? null,
    cmd: Command ?? null,
    workdir: WorkingDirectory || null,
  };
  return {
    role: configuration.Role ?? "",
    memory: configuration.MemorySize ?? 128,
    timeout: configuration.Timeout ?? 3,
    ephemeralStorage: configuration.EphemeralStorage?.Size ?? 512,
    ...(!Environment?.Error && { env: Environment?.Variables ?? {} }),
    ...(!ImageConfigResponse?.Error && overrides),
  };
}

function conditionOf(value: string, reason: string | undefined, code: string | undefined): Condition {
  return { value, ...(reason && { reason }), ...(code && { code }) };
}

/** Settings that deploy has no option for. */
const OTHERS = [
  "Description",
  "DeadLetterConfig",
  "KMSKeyArn",
  "TracingConfig",
  "FileSystemConfigs",
  "LoggingConfig",
  "TenancyConfig",
  "CapacityProviderConfig",
  "DurableConfig",
] as const;

/** Settings that deploy has no option for, as CreateFunction accepts them. */
export type OtherSettings = Pick<
  CreateFunctionCommandInput,
  (typeof OTHERS)[number] | "VpcConfig" | "SnapStart"
>;

/** Returns other settings without read-only fields: the subnets' VPC, the state of SnapStart. */
function otherSettings(configuration: FunctionConfiguration): OtherSettings {
  const { VpcConfig, SnapStart } = configuration;
  const { VpcId: _, ...vpc } = VpcConfig ?? {};
  return {
    ...Object.fromEntries(OTHERS.map((name) => [name, configuration[name]])),
    VpcConfig: vpc.SubnetIds?.length ? vpc : undefined,
    SnapStart: SnapStart && { ApplyOn: SnapStart.ApplyOn },
  };
}
