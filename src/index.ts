export type { ImageStatus } from "./aws/functions/image-use.ts";
export type {
  AwsOptions,
  CreateRepositoryOptions,
  IamPolicyOptions,
  PruneOptions,
  RepositoryPolicyOptions,
  StatusOptions,
} from "./commands/aws-options.ts";
export { type BaseReport, type BasesOptions, listBases } from "./commands/bases.ts";
export { type BuildResult, build } from "./commands/build/build.ts";
export type { BuiltDependencies } from "./commands/build/install.ts";
export type { BuildOptions } from "./commands/build/options.ts";
export {
  type CacheInfo,
  type CacheOptions,
  cacheInfo,
  type PruneCacheOptions,
  type PruneReport,
  pruneCache,
  type VerifyReport,
  verifyCache,
} from "./commands/cache.ts";
export { check } from "./commands/check/check.ts";
export type { CheckOptions } from "./commands/check/options.ts";
export type { CheckResult } from "./commands/check/plan.ts";
export { deploy } from "./commands/deploy/deploy.ts";
export { DeployError } from "./commands/deploy/deploy-error.ts";
export type { Deployment, DeployOptions, DeployResult, FunctionOptions } from "./commands/deploy/options.ts";
export { type DevServer, dev } from "./commands/dev/dev.ts";
export type { DevOptions } from "./commands/dev/options.ts";
export { diff } from "./commands/diff/diff.ts";
export type {
  ComparedImage,
  ComparedLayer,
  Difference,
  DiffOptions,
  LayerChange,
} from "./commands/diff/difference.ts";
export {
  type BuildFunctionsOptions,
  type BuildFunctionsResult,
  type BuiltFunction,
  buildFunctions,
} from "./commands/functions/build-functions.ts";
export { type CheckFunctionsResult, checkFunctions } from "./commands/functions/check-functions.ts";
export {
  type DeployedFunction,
  type DeployFunctionsResult,
  deployFunctions,
} from "./commands/functions/deploy-functions.ts";
export { type FunctionOutcome, FunctionsError } from "./commands/functions/functions-error.ts";
export {
  type ImportOptions,
  type ImportResult,
  importDockerfile,
} from "./commands/functions/import-dockerfile.ts";
export type { FunctionsOptions } from "./commands/functions/plan.ts";
export { showConfig } from "./commands/functions/plan.ts";
export { inspect } from "./commands/inspect/inspect.ts";
export type {
  InspectedConfig,
  InspectedLayer,
  Inspection,
  InspectOptions,
} from "./commands/inspect/inspection.ts";
export { invoke } from "./commands/invoke/invoke.ts";
export type { InvocationError, InvokeOptions, InvokeResult } from "./commands/invoke/options.ts";
export type { LocalOptions } from "./commands/local/options.ts";
export type { CommonOptions } from "./commands/options/common.ts";
export type { LayerRule } from "./commands/options/records.ts";
export type { PrunedImage, PruneResult } from "./commands/prune.ts";
export { prune } from "./commands/prune.ts";
export type { PushOptions } from "./commands/push/options.ts";
export { push } from "./commands/push/push.ts";
export type { Destination, LayerReport, PushResult, Stats } from "./commands/push/result.ts";
export type { CreateRepositoryResult, RepositoryPolicyResult } from "./commands/repo.ts";
export { createRepository, iamPolicy, repositoryPolicy } from "./commands/repo.ts";
export type { AliasStatus, StatusResult, VersionStatus } from "./commands/status.ts";
export { status } from "./commands/status.ts";
export { type ErrorCode, LambdaPackError, type RegistryAnswer, type RegistryComplaint } from "./errors.ts";
export type { BlobHow, BuildEvent, LayerHow, OnEvent } from "./events.ts";
export type { Severity } from "./lint/rule.ts";
export type { Finding } from "./lint/run-rules.ts";
export type { Digest } from "./oci/digest.ts";
export type { Family } from "./oci/media-types.ts";
export type { Architecture } from "./oci/platform.ts";
export { inspectionPage } from "./report/page.ts";
export type { FileChange, FileChanges } from "./rootfs/compare-images.ts";
export type { LayerDifference } from "./rootfs/compare-layers.ts";
export type { HiddenFile, ImageFile, InspectedContents, LayerContents } from "./rootfs/usage.ts";
export { SAMPLES, type Sample } from "./runtime/samples/samples.ts";
export type { Environment } from "./session/session.ts";
