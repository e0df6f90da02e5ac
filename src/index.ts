export { build } from "./build.ts";
export { type ErrorCode, LambdaPackError, RegistryError } from "./errors.ts";
export type { BlobHow, BuildEvent, LayerHow, OnEvent } from "./events.ts";
export type { Digest } from "./oci/digest.ts";
export type { Family } from "./oci/media-types.ts";
export type { Architecture } from "./oci/platform.ts";
export type {
  BuildOptions,
  BuildResult,
  CommonOptions,
  Destination,
  Environment,
  LayerReport,
  LayerRule,
  PushOptions,
  PushResult,
  Stats,
} from "./options.ts";
export { push } from "./push.ts";
