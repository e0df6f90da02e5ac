import type {
  CreateFunctionCommandInput,
  ImageConfig,
  UpdateFunctionCodeCommandInput,
  UpdateFunctionConfigurationCommandInput,
} from "@aws-sdk/client-lambda";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import {
  type FunctionFacts,
  type FunctionSettings,
  factsOf,
  type ImageSettings,
  type OtherSettings,
} from "./function-facts.ts";
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
  const input: CreateFunctionCommandInput = {
    ...others,
    ...inputOf(settings),
    ...(Object.keys(tags).length > 0 && { Tags: { ...tags } }),
    FunctionName: functionId(place),
    Role: settings.role,
    PackageType: "Image",
    Code: { ImageUri: imageUri },
    Architectures: [architecture],
  };
  await api.lambda(place.region, "CreateFunction", input, what);
}

interface NewCode {
  readonly imageUri: string;
  /** Only where it changes. */
  readonly architecture?: Architecture;
  /** Revision that was read: Lambda refuses the update if the function has changed since. */
  readonly revisionId?: string | undefined;
}

export async function updateCode(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, architecture, revisionId }: NewCode,
): Promise<void> {
  const what = `update the code of ${formatPlace(place)}`;
  const input: UpdateFunctionCodeCommandInput = {
    FunctionName: functionId(place),
    ImageUri: imageUri,
    RevisionId: revisionId,
    ...(architecture && { Architectures: [architecture] }),
  };
  await api.lambda(place.region, "UpdateFunctionCode", input, what);
}

export async function updateSettings(
  api: AwsApi,
  place: FunctionPlace,
  settings: Partial<FunctionSettings>,
  revisionId: string | undefined,
): Promise<void> {
  const what = `update the configuration of ${formatPlace(place)}`;
  const input = {
    ...inputOf(settings),
    // An empty ImageConfig removes every override.
    ...(settings.image && { ImageConfig: imageConfig(settings.image) }),
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

type Input = Omit<UpdateFunctionConfigurationCommandInput, "FunctionName">;

function inputOf({ role, memory, timeout, ephemeralStorage, env, image }: Partial<FunctionSettings>): Input {
  return {
    ...(role !== undefined && { Role: role }),
    ...(memory !== undefined && { MemorySize: memory }),
    ...(timeout !== undefined && { Timeout: timeout }),
    ...(ephemeralStorage !== undefined && { EphemeralStorage: { Size: ephemeralStorage } }),
    ...(isFilled(env) && { Environment: { Variables: { ...env } } }),
    ...(isFilled(image) && { ImageConfig: imageConfig(image) }),
  };
}

function isFilled<T extends object>(fields: T | undefined): fields is T {
  return fields !== undefined && Object.keys(fields).length > 0;
}

function imageConfig({ entrypoint, command, workdir }: ImageSettings): ImageConfig {
  return {
    ...(entrypoint && { EntryPoint: [...entrypoint] }),
    ...(command && { Command: [...command] }),
    ...(workdir !== undefined && { WorkingDirectory: workdir }),
  };
}
