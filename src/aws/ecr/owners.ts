import { LambdaPackError } from "../../errors.ts";
import { type Digest, digestOf, isDigest } from "../../oci/digest.ts";
import { field, items, optional, parseJson, string } from "../../oci/json.ts";
import { isIndexType, MANIFEST_TYPES, MEDIA_TYPES } from "../../oci/media-types.ts";
import type { AwsApi } from "../api.ts";
import type { StoredImage } from "./images.ts";
import type { RepositoryName } from "./names.ts";
import { inRepository } from "./repositories.ts";

/** Images of a repository that belong to others: signatures, SBOMs, children of an index. */
export interface Owners {
  /**
   * The owners of each image, by digest: its subject, the image that cosign's tag names
   * (`sha256-<hex>.sig`), and the indexes that list it. An owner may be missing from the
   * repository.
   */
  readonly owners: ReadonlyMap<Digest, ReadonlySet<string>>;
  /**
   * Images whose manifest could not be read, with the reason. Their owners, and the images that
   * they own, are not known.
   */
  readonly unreadable: ReadonlyMap<Digest, string>;
}

/** Reads the owners of all images. A manifest that cannot be read is listed in `unreadable`. */
export async function readOwners(
  api: AwsApi,
  repository: RepositoryName,
  images: readonly StoredImage[],
): Promise<Owners> {
  const owners = new Map(
    images.map(({ digest, tags, subject = [] }) => [
      digest,
      new Set([tags.flatMap(ownerByTag), subject].flat()),
    ]),
  );
  const unreadable = new Map<Digest, string>();
  const unclear = images.filter(isUnclear);
  for (let from = 0; from < unclear.length; from += READ_AT_ONCE) {
    const batch = unclear.slice(from, from + READ_AT_ONCE);
    const answer = await readLinks(api, repository, batch).catch(reasonOf);
    for (const { digest } of batch) {
      const links =
        typeof answer === "string" ? answer : (answer.get(digest) ?? "the answer of ECR does not have it");
      if (typeof links === "string") unreadable.set(digest, links);
      else addOwners(owners, digest, links);
    }
  }
  // A tag may name its own image.
  for (const [digest, found] of owners) found.delete(digest);
  return { owners, unreadable };
}

function addOwners(owners: ReadonlyMap<Digest, Set<string>>, digest: Digest, links: Links): void {
  for (const child of links.children) if (isDigest(child)) owners.get(child)?.add(digest);
  if (links.subject !== undefined) owners.get(digest)?.add(links.subject);
}

function reasonOf(error: unknown): string {
  if (error instanceof LambdaPackError && error.code !== "ABORTED") return error.message;
  throw error;
}

/**
 * Returns the owner that a tag names: a tag of cosign, or the referrers tag of registries without
 * that API (distribution-spec, "Referrers Tag Schema").
 */
function ownerByTag(tag: string): readonly string[] {
  const [, hex] = /^sha256-([0-9a-f]{64})(?:[.-].*)?$/.exec(tag) ?? [];
  return hex === undefined ? [] : [`sha256:${hex}`];
}

const IMAGE_CONFIGS: readonly string[] = [MEDIA_TYPES.oci.config, MEDIA_TYPES.docker.config];

/** Returns whether an image may have links that only its manifest contains. */
function isUnclear({ mediaType = "", artifactType, subject }: StoredImage): boolean {
  if (isIndexType(mediaType)) return true;
  return artifactType !== undefined && !IMAGE_CONFIGS.includes(artifactType) && subject === undefined;
}

/** Limit for one index; a manifest of 4 MiB cannot list as many. */
const MAX_CHILDREN = 100_000;

/** The API's limit for one request. */
const READ_AT_ONCE = 100;

interface Links {
  readonly children: readonly string[];
  readonly subject: string | undefined;
}

/** Reads at most {@link READ_AT_ONCE} manifests. Returns by digest the links, or why they are not known. */
export async function readLinks(
  api: AwsApi,
  repository: RepositoryName,
  images: readonly StoredImage[],
): Promise<ReadonlyMap<string, Links | string>> {
  const types = images.flatMap(({ mediaType }) => mediaType ?? []);
  const input = {
    ...inRepository(repository),
    imageIds: images.map(({ digest }) => ({ imageDigest: digest })),
    acceptedMediaTypes: [...new Set([...MANIFEST_TYPES, ...types])],
  };
  const answer = await api.ecr(repository, "BatchGetImage", input, `read manifests of ${repository.name}`);
  const links = new Map<string, Links | string>();
  for (const { imageId, imageManifest } of answer.images ?? [])
    if (imageId?.imageDigest && imageManifest)
      links.set(imageId.imageDigest, linksOf(imageId.imageDigest, imageManifest));
  for (const { imageId, failureCode = "", failureReason = "" } of answer.failures ?? [])
    if (imageId?.imageDigest) links.set(imageId.imageDigest, `${failureCode}: ${failureReason}`);
  return links;
}

/** Returns the links in a manifest, or why they are not known. */
function linksOf(digest: string, manifest: string): Links | string {
  const bytes = Buffer.from(manifest);
  if (digestOf(bytes) !== digest) return "ECR answered with another manifest";
  try {
    const json = parseJson(bytes, "manifest");
    const digestIn = (found: typeof json) => string(field(found, "digest"));
    const children = optional(field(json, "manifests"), (found) => items(found, MAX_CHILDREN).map(digestIn));
    return { children: children ?? [], subject: optional(field(json, "subject"), digestIn) };
  } catch (error) {
    return reasonOf(error);
  }
}
