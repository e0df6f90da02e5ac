import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  GetFunctionResponse,
} from "@aws-sdk/client-lambda";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import { type UnreadablePart, unreadableParts } from "./unreadable.ts";

/**
 * What a function does with its image's ENTRYPOINT, CMD and WORKDIR; undefined: as the image has
 * it.
 */
export interface ImageSettings {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workdir?: string;
}

/** Image settings without those that are left to the image. */
export function withoutDefaults(
  image: ImageSettings,
  defaults: readonly (keyof ImageSettings)[] = [],
): ImageSettings {
  const kept = Object.entries(image).filter(([name]) => !defaults.some((one) => one === name));
  return Object.fromEntries(kept);
}

/** What can be set for a function beside its image. */
export interface FunctionSettings {
  readonly role: string;
  /** MB. */
  readonly memory: number;
  /** Seconds. */
  readonly timeout: number;
  /** MB of /tmp. */
  readonly ephemeralStorage: number;
  readonly env: Readonly<Record<string, string>>;
  readonly image: ImageSettings;
}

/** Settings as they were read; `env` or `image` is undefined where it could not be. */
export type ReadSettings = Omit<FunctionSettings, "env" | "image"> &
  Partial<Pick<FunctionSettings, "env" | "image">>;

/** A state as Lambda has it, with its own reason. */
export interface Condition {
  /**
   * State: Pending, Active, Inactive, Failed, ...; LastUpdateStatus: InProgress, Successful,
   * Failed.
   */
  readonly value: string;
  readonly reason?: string;
  readonly code?: string;
}

/** A function, or one of its versions, as GetFunction tells it. */
export interface FunctionFacts {
  /** Of the version where it is one. */
  readonly arn: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly packageType: string;
  readonly state: Condition;
  readonly lastUpdate: Condition;
  /** Of the image's manifest; undefined for a Zip function. */
  readonly digest?: Digest;
  /** As it was given to Lambda. */
  readonly imageUri?: string;
  readonly codeSha256: string;
  readonly architecture: Architecture;
  readonly revisionId?: string;
  /** Without those that are unreadable; a role, memory or timeout among these is a placeholder. */
  readonly settings: ReadSettings;
  /** What the answer could not show: neither written back nor taken for empty. */
  readonly unreadable: readonly UnreadablePart[];
  readonly others: OtherSettings;
  /** Only of the function itself, as are reserved instances. */
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency?: number;
}

export function factsOf(answer: GetFunctionResponse): FunctionFacts {
  const { Configuration = {}, Code, Tags = {}, Concurrency } = answer;
  const reservedConcurrency = Concurrency?.ReservedConcurrentExecutions;
  const digest = digestOf(Code?.ResolvedImageUri, Configuration);
  return {
    arn: Configuration.FunctionArn ?? "",
    version: Configuration.Version ?? "$LATEST",
    packageType: Configuration.PackageType ?? "Zip",
    state: conditionOf(
      Configuration.State ?? "Active",
      Configuration.StateReason,
      Configuration.StateReasonCode,
    ),
    lastUpdate: conditionOf(
      Configuration.LastUpdateStatus ?? "Successful",
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
 * CodeSha256 of an image function is its manifest's digest without `sha256:`
 * (terraform-provider-aws#36943); the resolved URI says it outright.
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
  const image = ImageConfigResponse?.ImageConfig;
  return {
    role: configuration.Role ?? "",
    memory: configuration.MemorySize ?? 128,
    timeout: configuration.Timeout ?? 3,
    ephemeralStorage: configuration.EphemeralStorage?.Size ?? 512,
    ...(!Environment?.Error && { env: Environment?.Variables ?? {} }),
    ...(!ImageConfigResponse?.Error && {
      image: {
        ...(image?.EntryPoint && { entrypoint: image.EntryPoint }),
        ...(image?.Command && { command: image.Command }),
        ...(image?.WorkingDirectory && { workdir: image.WorkingDirectory }),
      },
    }),
  };
}

function conditionOf(value: string, reason: string | undefined, code: string | undefined): Condition {
  return { value, ...(reason && { reason }), ...(code && { code }) };
}

/** Settings that deploy has no word for, as CreateFunction takes them. */
export type OtherSettings = Pick<
  CreateFunctionCommandInput,
  | "Description"
  | "VpcConfig"
  | "DeadLetterConfig"
  | "KMSKeyArn"
  | "TracingConfig"
  | "FileSystemConfigs"
  | "SnapStart"
  | "LoggingConfig"
  | "TenancyConfig"
  | "CapacityProviderConfig"
  | "DurableConfig"
>;

/** Without what Lambda only tells: the VPC of the subnets, and how far SnapStart is. */
function otherSettings(configuration: FunctionConfiguration): OtherSettings {
  const { VpcConfig: vpc, SnapStart } = configuration;
  const subnets = vpc?.SubnetIds ?? [];
  return present({
    Description: configuration.Description,
    VpcConfig: subnets.length === 0 ? undefined : present({ ...vpc, VpcId: undefined }),
    DeadLetterConfig: configuration.DeadLetterConfig,
    KMSKeyArn: configuration.KMSKeyArn,
    TracingConfig: configuration.TracingConfig,
    FileSystemConfigs: configuration.FileSystemConfigs,
    SnapStart: SnapStart && present({ ApplyOn: SnapStart.ApplyOn }),
    LoggingConfig: configuration.LoggingConfig,
    TenancyConfig: configuration.TenancyConfig,
    CapacityProviderConfig: configuration.CapacityProviderConfig,
    DurableConfig: configuration.DurableConfig,
  });
}

/** Without the fields that are undefined. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Fields that are undefined have gone; the SDK's types allow that of all of them.
  return Object.fromEntries(Object.entries(fields).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
