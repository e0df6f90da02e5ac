import type { CreateFunctionCommandInput, FunctionConfiguration } from "@aws-sdk/client-lambda";

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
export function otherSettings(configuration: FunctionConfiguration): OtherSettings {
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
