import type { AwsApi } from "./api.ts";
import { incomplete } from "./refusals.ts";

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
