import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  GetFunctionResponse,
} from "@aws-sdk/client-lambda";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { Architecture } from "../../oci/platform.ts";
import { type UnreadablePart, unreadableParts } from "./unreadable.ts";

/** A function's overrides of its image's ENTRYPOINT, CMD and WORKDIR; undefined: no override. */
export interface ImageSettings {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workdir?: string;
}

/** Returns the overrides without those in `defaults`, which are left to the image. */
export function withoutDefaults(
  image: ImageSettings,
  defaults: readonly (keyof ImageSettings)[] = [],
): ImageSettings {
  const kept = Object.entries(image).filter(([name]) => !defaults.some((one) => one === name));
  return Object.fromEntries(kept);
}

/** The settings of a function, other than its image. */
export interface FunctionSettings {
  readonly role: string;
  /** In MB. */
  readonly memory: number;
  /** In seconds. */
  readonly timeout: number;
  /** MB of /tmp. */
  readonly ephemeralStorage: number;
  readonly env: Readonly<Record<string, string>>;
  readonly image: ImageSettings;
}

/** Settings as they were read; `env` or `image` is undefined where it could not be read. */
export type ReadSettings = Omit<FunctionSettings, "env" | "image"> &
  Partial<Pick<FunctionSettings, "env" | "image">>;

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

/** Settings that deploy has no option for, as CreateFunction accepts them. */
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

/** Returns other settings without read-only fields: the subnets' VPC, the state of SnapStart. */
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

/** Returns the object without undefined fields. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The undefined fields are gone, and the SDK's types allow any of them to be missing.
  return Object.fromEntries(Object.entries(fields).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
