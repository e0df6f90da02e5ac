export type {
  AliasStatus,
  AwsOptions,
  CreateRepositoryOptions,
  CreateRepositoryResult,
  Deployment,
  DeployOptions,
  DeployResult,
  FunctionOptions,
  IamPolicyOptions,
  ImageStatus,
  PrunedImage,
  PruneOptions,
  PruneResult,
  RepositoryPolicyOptions,
  RepositoryPolicyResult,
  StatusOptions,
  StatusResult,
  VersionStatus,
} from "./aws-options.ts";
export { build } from "./build.ts";
export { check } from "./check.ts";
export { deploy } from "./deploy.ts";
export { DeployError } from "./deploy-error.ts";
export { diff } from "./diff.ts";
export type { ComparedImage, ComparedLayer, Difference, DiffOptions, LayerChange } from "./difference.ts";
export { type ErrorCode, LambdaPackError, RegistryError } from "./errors.ts";
export type { BlobHow, BuildEvent, LayerHow, OnEvent } from "./events.ts";
export { inspect } from "./inspect.ts";
export type {
  InspectedConfig,
  InspectedContents,
  InspectedLayer,
  Inspection,
  InspectOptions,
} from "./inspection.ts";
export type { Finding } from "./lambda/rules/all.ts";
export type { Severity } from "./lambda/rules/rule.ts";
export type { FileChange, FileChanges } from "./layer/compare-images.ts";
export type { LayerDifference } from "./layer/compare-layers.ts";
export type { HiddenFile, ImageFile, LayerContents } from "./layer/inventory.ts";
export { listBases } from "./list-bases.ts";
export {
  type CacheInfo,
  type CacheOptions,
  cacheInfo,
  type PruneCacheOptions,
  type PruneReport,
  pruneCache,
  type VerifyReport,
  verifyCache,
} from "./maintain-cache.ts";
export type { Digest } from "./oci/digest.ts";
export type { Family } from "./oci/media-types.ts";
export type { Architecture } from "./oci/platform.ts";
export type {
  BaseReport,
  BasesOptions,
  BuildOptions,
  BuildResult,
  CheckOptions,
  CheckResult,
  CommonOptions,
  Destination,
  Environment,
  LayerReport,
  LayerRule,
  PushOptions,
  PushResult,
  Stats,
} from "./options.ts";
export { inspectionPage } from "./page/page.ts";
export { prune } from "./prune.ts";
export { push } from "./push.ts";
export { createRepository, iamPolicy, repositoryPolicy } from "./repo.ts";
export { status } from "./status.ts";
