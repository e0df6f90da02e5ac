import type { ImageDetail } from "@aws-sdk/client-ecr";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { type AwsApi, allPages } from "../api.ts";
import { incomplete, undefinedOn } from "../refusals.ts";
import type { RepositoryName } from "./names.ts";
import { inRepository } from "./repositories.ts";

export interface StoredImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** Compressed size in bytes. */
  readonly size: number;
  /** In epoch milliseconds; Infinity: ECR does not say. */
  readonly pushedAtMs: number;
  /** Media type of the manifest or index. */
  readonly mediaType?: string;
  /** The manifest's artifactType, else the media type of its config. */
  readonly artifactType?: string;
  /** The digest of the image that this one refers to (OCI 1.1, "subject"). */
  readonly subject?: string;
}

/** Describes an image; undefined: it or the repository does not exist. */
export async function findImage(
  api: AwsApi,
  repository: RepositoryName,
  digest: Digest,
): Promise<StoredImage | undefined> {
  const what = `describe the image ${digest} of ${repository.name}`;
  const input = { ...inRepository(repository), imageIds: [{ imageDigest: digest }] };
  const answer = await api
    .ecr(repository, "DescribeImages", input, what)
    .catch(undefinedOn("ImageNotFoundException", "RepositoryNotFoundException"));
  return answer?.imageDetails?.flatMap(storedImage)[0];
}

/** Lists all images, the newest first. @throws REGISTRY_ANSWER if one cannot be read. */
export async function listImages(api: AwsApi, repository: RepositoryName): Promise<readonly StoredImage[]> {
  const found = await allPages(`the images of ${repository.name}`, "imageDetails", (nextToken, what) =>
    api.ecr(repository, "DescribeImages", { ...inRepository(repository), nextToken }, what),
  );
  const images = found.flatMap(storedImage);
  if (images.length < found.length) throw incomplete(`an image of ${repository.name}`, "imageDigest");
  return images.sort(newestFirst);
}

function newestFirst(a: StoredImage, b: StoredImage): number {
  if (a.pushedAtMs === b.pushedAtMs) return a.digest < b.digest ? -1 : 1;
  return b.pushedAtMs > a.pushedAtMs ? 1 : -1;
}

/** The API's limit for one request. */
export const DELETED_AT_ONCE = 100;

interface Deletion {
  /** Images that no longer exist. */
  readonly gone: ReadonlySet<Digest>;
  /** Images that ECR kept, with its reason. */
  readonly kept: ReadonlyMap<Digest, string>;
}

/**
 * Deletes at most {@link DELETED_AT_ONCE} images. ECR keeps those that an index lists. An image
 * that the answer does not mention counts as kept.
 */
export async function deleteImages(
  api: AwsApi,
  repository: RepositoryName,
  digests: readonly Digest[],
): Promise<Deletion> {
  const what = `delete images of ${repository.name}`;
  const input = { ...inRepository(repository), imageIds: digests.map((imageDigest) => ({ imageDigest })) };
  const { imageIds = [], failures = [] } = await api.ecr(repository, "BatchDeleteImage", input, what);
  const gone = new Set(imageIds.map(({ imageDigest }) => imageDigest));
  const reasons = new Map<string | undefined, string>();
  for (const { imageId, failureCode, failureReason } of failures)
    if (failureCode === "ImageNotFound") gone.add(imageId?.imageDigest);
    else reasons.set(imageId?.imageDigest, failureReason ?? failureCode ?? "no reason given");
  const kept = digests.filter((digest) => reasons.has(digest) || !gone.has(digest));
  return {
    gone: new Set(digests.filter((digest) => !kept.includes(digest))),
    kept: new Map(kept.map((digest) => [digest, reasons.get(digest) ?? "the answer does not mention it"])),
  };
}

function storedImage(detail: ImageDetail): StoredImage[] {
  const { imageDigest = "", imageTags = [], imageSizeInBytes = 0, imagePushedAt } = detail;
  if (!isDigest(imageDigest)) return [];
  const { imageManifestMediaType: mediaType, artifactMediaType: artifactType } = detail;
  const { subjectManifestDigest: subject } = detail;
  return [
    {
      digest: imageDigest,
      tags: [...imageTags].sort(),
      size: imageSizeInBytes,
      pushedAtMs: imagePushedAt?.getTime() ?? Number.POSITIVE_INFINITY,
      ...(mediaType !== undefined && { mediaType }),
      ...(artifactType !== undefined && { artifactType }),
      ...(subject !== undefined && { subject }),
    },
  ];
}

/** The API's limit of images in one answer. */
const PAGE = 1000;
/** ECR does not sort. In a larger repository a recent image is very likely among these. */
const MAX_PAGES = 10;

/** Returns the tag of the image that was pushed last; undefined: no image has a tag. */
export async function newestTag(api: AwsApi, repository: RepositoryName): Promise<string | undefined> {
  const what = `list the images of ${repository.name}`;
  const filter = { tagStatus: "TAGGED" } as const;
  let newest: ImageDetail | undefined;
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const input = { ...inRepository(repository), filter, maxResults: PAGE, nextToken };
    const answer = await api.ecr(repository, "DescribeImages", input, what);
    newest = [newest, ...(answer.imageDetails ?? [])].reduce(later);
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return [...(newest?.imageTags ?? [])].sort()[0];
}

function later(a: ImageDetail | undefined, b: ImageDetail | undefined): ImageDetail | undefined {
  return (b?.imagePushedAt?.getTime() ?? 0) > (a?.imagePushedAt?.getTime() ?? 0) ? b : a;
}
