import type { ImageConfig, UpdateFunctionConfigurationCommandInput } from "@aws-sdk/client-lambda";
import type { Architecture } from "../../oci/platform.ts";
import type { AwsApi } from "../api.ts";
import { incomplete, unless } from "../refusals.ts";
import { type FunctionFacts, type FunctionSettings, factsOf, type ImageSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import type { OtherSettings } from "./other-settings.ts";

/** undefined: there is no such function, or no such version (`qualifier`: a number or an alias). */
export async function findFunction(
  api: AwsApi,
  place: FunctionPlace,
  qualifier?: string,
): Promise<FunctionFacts | undefined> {
  const call = { what: `tell about the function ${formatPlace(place)}`, action: "lambda:GetFunction" };
  const answer = await api.lambda(place.region, call, (client, sdk, options) =>
    client
      .send(
        new sdk.GetFunctionCommand({
          FunctionName: functionId(place),
          ...(qualifier !== undefined && { Qualifier: qualifier }),
        }),
        options,
      )
      .catch(unless("ResourceNotFoundException", undefined)),
  );
  if (answer && !answer.Configuration)
    throw incomplete(`the function ${formatPlace(place)}`, "Configuration");
  return answer && factsOf(answer);
}

/** What a new function is made of. */
export interface NewFunction {
  /** By digest. */
  readonly imageUri: string;
  readonly architecture: Architecture;
  readonly settings: Partial<FunctionSettings> & Pick<FunctionSettings, "role">;
  readonly others?: OtherSettings;
  readonly tags?: Readonly<Record<string, string>>;
}

/** The function is asked for; it is not there yet. */
export async function createFunction(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, architecture, settings, others = {}, tags = {} }: NewFunction,
): Promise<void> {
  const call = { what: `create the function ${formatPlace(place)}`, action: "lambda:CreateFunction" };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.CreateFunctionCommand({
        ...others,
        ...inputOf(settings),
        ...(Object.keys(tags).length > 0 && { Tags: { ...tags } }),
        FunctionName: functionId(place),
        Role: settings.role,
        PackageType: "Image",
        Code: { ImageUri: imageUri },
        Architectures: [architecture],
      }),
      options,
    ),
  );
}

export interface NewCode {
  readonly imageUri: string;
  /** Where it changes. */
  readonly architecture?: Architecture;
  /** Of the function as it was read: it has not changed since then. */
  readonly revisionId?: string | undefined;
}

export async function updateCode(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, architecture, revisionId }: NewCode,
): Promise<void> {
  const call = { what: `update the code of ${formatPlace(place)}`, action: "lambda:UpdateFunctionCode" };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.UpdateFunctionCodeCommand({
        FunctionName: functionId(place),
        ImageUri: imageUri,
        ...(architecture && { Architectures: [architecture] }),
        ...(revisionId !== undefined && { RevisionId: revisionId }),
      }),
      options,
    ),
  );
}

export async function updateSettings(
  api: AwsApi,
  place: FunctionPlace,
  settings: Partial<FunctionSettings>,
  revisionId: string | undefined,
): Promise<void> {
  const action = "lambda:UpdateFunctionConfiguration";
  const call = { what: `update the configuration of ${formatPlace(place)}`, action };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(
      new sdk.UpdateFunctionConfigurationCommand({
        ...inputOf(settings),
        // It replaces the whole of it: empty takes every override away.
        ...(settings.image && { ImageConfig: imageConfig(settings.image) }),
        FunctionName: functionId(place),
        ...(revisionId !== undefined && { RevisionId: revisionId }),
      }),
      options,
    ),
  );
}

/** Adds AWS's own tags to the function with this ARN, which has no version in it. */
export async function tagFunction(
  api: AwsApi,
  place: FunctionPlace,
  arn: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const call = { what: `tag the function ${formatPlace(place)}`, action: "lambda:TagResource" };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client.send(new sdk.TagResourceCommand({ Resource: arn, Tags: { ...tags } }), options),
  );
}

export async function deleteFunction(api: AwsApi, place: FunctionPlace): Promise<void> {
  const call = { what: `delete the function ${formatPlace(place)}`, action: "lambda:DeleteFunction" };
  await api.lambda(place.region, call, (client, sdk, options) =>
    client
      .send(new sdk.DeleteFunctionCommand({ FunctionName: functionId(place) }), options)
      .catch(unless("ResourceNotFoundException", undefined)),
  );
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

/** Nothing is taken away by being left out: what is empty need not be sent. */
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
