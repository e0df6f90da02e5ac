import type { CreateFunctionCommandInput, ImageConfig } from "@aws-sdk/client-lambda";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import { type FunctionFacts, type FunctionSettings, factsOf, type OtherSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";

/**
 * Reads a function, or one of its versions (`qualifier`: a number or an alias). Returns undefined
 * if it does not exist.
 */
export async function findFunction(
  api: AwsApi,
  place: FunctionPlace,
  qualifier?: string,
): Promise<FunctionFacts | undefined> {
  const what = `read the function ${formatPlace(place)}`;
  const input = { FunctionName: functionId(place), Qualifier: qualifier };
  const answer = await api
    .lambda(place.region, "GetFunction", input, what)
    .catch(undefinedOn("ResourceNotFoundException"));
  if (answer && !answer.Configuration)
    throw incomplete(`the function ${formatPlace(place)}`, "Configuration");
  return answer && factsOf(answer);
}

/** The input of CreateFunction. */
export interface NewFunction {
  /** By digest. */
  readonly imageUri: string;
  readonly architecture: Architecture;
  readonly settings: Partial<FunctionSettings> & Pick<FunctionSettings, "role">;
  readonly others?: OtherSettings;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Requests a new function. It is not Active yet when this returns. */
export async function createFunction(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, architecture, settings, others = {}, tags = {} }: NewFunction,
): Promise<void> {
  const what = `create the function ${formatPlace(place)}`;
  const overrides = imageConfig(settings);
  const input: CreateFunctionCommandInput = {
    ...others,
    ...inputOf(settings),
    ...(Object.keys(overrides).length > 0 && { ImageConfig: overrides }),
    ...(Object.keys(tags).length > 0 && { Tags: { ...tags } }),
    FunctionName: functionId(place),
    Role: settings.role,
    PackageType: "Image",
    Code: { ImageUri: imageUri },
    Architectures: [architecture],
  };
  await api.lambda(place.region, "CreateFunction", input, what);
}

/**
 * Updates the code.
 * @param facts the function as it was read: Lambda refuses the update if it has changed since
 */
export async function updateCode(
  api: AwsApi,
  place: FunctionPlace,
  { architecture: current, revisionId }: FunctionFacts,
  { imageUri, architecture }: Pick<NewFunction, "imageUri" | "architecture">,
): Promise<void> {
  const what = `update the code of ${formatPlace(place)}`;
  const input = {
    FunctionName: functionId(place),
    ImageUri: imageUri,
    RevisionId: revisionId,
    ...(architecture !== current && { Architectures: [architecture] }),
  };
  await api.lambda(place.region, "UpdateFunctionCode", input, what);
}

/** Updates these settings, like {@link updateCode}. */
export async function updateSettings(
  api: AwsApi,
  place: FunctionPlace,
  { settings: current, revisionId }: FunctionFacts,
  settings: Partial<FunctionSettings>,
): Promise<void> {
  const what = `update the configuration of ${formatPlace(place)}`;
  const isOverride = ["entrypoint", "cmd", "workdir"].some((name) => name in settings);
  const input = {
    ...inputOf(settings),
    // It replaces all overrides; an empty one removes them.
    ...(isOverride && { ImageConfig: imageConfig({ ...current, ...settings }) }),
    FunctionName: functionId(place),
    RevisionId: revisionId,
  };
  await api.lambda(place.region, "UpdateFunctionConfiguration", input, what);
}

/** Adds AWS resource tags to the function. `arn` has no version. */
export async function tagFunction(
  api: AwsApi,
  place: FunctionPlace,
  arn: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const what = `tag the function ${formatPlace(place)}`;
  const input = { Resource: arn, Tags: { ...tags } };
  await api.lambda(place.region, "TagResource", input, what);
}

export async function deleteFunction(api: AwsApi, place: FunctionPlace): Promise<void> {
  const what = `delete the function ${formatPlace(place)}`;
  await api
    .lambda(place.region, "DeleteFunction", { FunctionName: functionId(place) }, what)
    .catch(undefinedOn("ResourceNotFoundException"));
}

function inputOf({ role, memory, timeout, ephemeralStorage, env }: Partial<FunctionSettings>) {
  return {
    ...(role !== undefined && { Role: role }),
    ...(memory !== undefined && { MemorySize: memory }),
    ...(timeout !== undefined && { Timeout: timeout }),
    ...(ephemeralStorage !== undefined && { EphemeralStorage: { Size: ephemeralStorage } }),
    ...(env && Object.keys(env).length > 0 && { Environment: { Variables: { ...env } } }),
  };
}

function imageConfig({ entrypoint, cmd, workdir }: Partial<FunctionSettings>): ImageConfig {
  return {
    ...(entrypoint && { EntryPoint: [...entrypoint] }),
    ...(cmd && { Command: [...cmd] }),
    ...(workdir && { WorkingDirectory: workdir }),
  };
}

/** A version of a Lambda layer, as AWS describes it. */
export interface LayerVersion {
  /** SHA-256 of the zip, in base64. */
  readonly codeSha256: string;
  /** URL of the zip, valid for ten minutes. */
  readonly location: string;
  /** `x86_64`; empty: the layer's author did not say. */
  readonly architectures: readonly string[];
  /** `python3.12`; empty: the layer's author did not say. */
  readonly runtimes: readonly string[];
}

/** Reads a version of a layer. */
export async function getLayerVersion(
  api: AwsApi,
  region: string,
  name: string,
  version: number,
): Promise<LayerVersion> {
  const layer = `the Lambda layer ${name}:${version}`;
  const what = `read ${layer}`;
  const input = { LayerName: name, VersionNumber: version };
  const answer = await api.lambda(region, "GetLayerVersion", input, what);
  const { CodeSha256, Location } = answer.Content ?? {};
  if (!CodeSha256 || !Location) throw incomplete(layer, "Content");
  return {
    codeSha256: CodeSha256,
    location: Location,
    architectures: answer.CompatibleArchitectures ?? [],
    runtimes: answer.CompatibleRuntimes ?? [],
  };
}
