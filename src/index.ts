export { build } from "./build.ts";
export { check } from "./checking/check.ts";
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
} from "./deploying/aws-options.ts";
export { deploy } from "./deploying/deploy.ts";
export { DeployError } from "./deploying/deploy-error.ts";
export { prune } from "./deploying/prune.ts";
export { createRepository, iamPolicy, repositoryPolicy } from "./deploying/repo.ts";
export { status } from "./deploying/status.ts";
export { type ErrorCode, LambdaPackError, RegistryError } from "./errors.ts";
export type { BlobHow, BuildEvent, LayerHow, OnEvent } from "./events.ts";
export { diff } from "./inspecting/diff.ts";
export type {
  ComparedImage,
  ComparedLayer,
  Difference,
  DiffOptions,
  LayerChange,
} from "./inspecting/difference.ts";
export { inspect } from "./inspecting/inspect.ts";
export type {
  InspectedConfig,
  InspectedContents,
  InspectedLayer,
  Inspection,
  InspectOptions,
} from "./inspecting/inspection.ts";
export type { Finding } from "./lambda/rules/all.ts";
export type { Severity } from "./lambda/rules/rule.ts";
export type { FileChange, FileChanges } from "./layer/read/compare-images.ts";
export type { LayerDifference } from "./layer/read/compare-layers.ts";
export type { HiddenFile, ImageFile, LayerContents } from "./layer/read/inventory.ts";
export type { Digest } from "./oci/digest.ts";
export type { Family } from "./oci/media-types.ts";
export type { Architecture } from "./oci/platform.ts";
export { inspectionPage } from "./page/page.ts";
export { push } from "./push.ts";
export { listBases } from "./story/list-bases.ts";
export {
  type CacheInfo,
  type CacheOptions,
  cacheInfo,
  type PruneCacheOptions,
  type PruneReport,
  pruneCache,
  type VerifyReport,
  verifyCache,
} from "./story/maintain-cache.ts";
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
} from "./story/options.ts";
