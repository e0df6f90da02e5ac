import type { AwsApi } from "./api.ts";
import { incomplete } from "./refusals.ts";

/** What AWS says of a version of a Lambda layer. */
export interface LayerVersion {
  /** Base64, of the zip. */
  readonly codeSha256: string;
  /** Where the zip can be fetched from, for ten minutes. */
  readonly location: string;
  /** `x86_64`; empty: the layer's author did not say. */
  readonly architectures: readonly string[];
  /** `python3.12`; empty: the layer's author did not say. */
  readonly runtimes: readonly string[];
}

/** Asks for a version of a layer. @param name the layer's ARN, without the version. */
export async function getLayerVersion(
  api: AwsApi,
  region: string,
  name: string,
  version: number,
): Promise<LayerVersion> {
  const what = `the Lambda layer ${name}:${version}`;
  const call = { what: `give ${what}`, action: "lambda:GetLayerVersion" };
  const input = { LayerName: name, VersionNumber: version };
  const answer = await api.lambda(region, call, (sdk) => new sdk.GetLayerVersionCommand(input));
  const { CodeSha256, Location } = answer.Content ?? {};
  if (!CodeSha256 || !Location) throw incomplete(what, "Content");
  return {
    codeSha256: CodeSha256,
    location: Location,
    architectures: answer.CompatibleArchitectures ?? [],
    runtimes: answer.CompatibleRuntimes ?? [],
  };
}
