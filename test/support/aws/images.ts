import type { FakeEcr } from "../ecr/ecr.ts";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export interface PlacedImage {
  /** By digest, as Lambda is given it. */
  readonly imageUri: string;
  readonly digest: string;
}

/** A manifest in a repository of the fake ECR, as if it had been pushed; `text` makes it another one. */
export function placeImage(
  ecr: FakeEcr,
  text = "first",
  { region = "eu-west-1", name = "app", tags = [] as readonly string[], mediaType = MANIFEST } = {},
): PlacedImage {
  const registry = ecr.registry("123456789012", region);
  const document = { schemaVersion: 2, mediaType, config: { digest: text }, layers: [{ size: 1000 }] };
  const digest = registry.create(name).addManifest(document, mediaType, ...tags);
  return { imageUri: `123456789012.dkr.ecr.${region}.amazonaws.com/${name}@${digest}`, digest };
}
