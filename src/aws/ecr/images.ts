import type { ImageDetail } from "@aws-sdk/client-ecr";
import { type Digest, isDigest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { allPages } from "../pages.ts";
import { unless } from "../refusals.ts";
import { registryOf } from "./repositories.ts";
import type { RepositoryName } from "./repository-name.ts";

export interface StoredImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** Bytes, compressed. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly pushedAtMs: number;
}

/** undefined: the repository has it not, or is not there itself. */
export async function findImage(
  api: AwsApi,
  repository: RepositoryName,
  digest: Digest,
): Promise<StoredImage | undefined> {
  const call = { what: `describe the image ${digest} of ${repository.name}`, action: "ecr:DescribeImages" };
  const answer = await api.ecr(repository, call, (client, sdk, options) =>
    client
      .send(
        new sdk.DescribeImagesCommand({
          ...registryOf(repository),
          repositoryName: repository.name,
          imageIds: [{ imageDigest: digest }],
        }),
        options,
      )
      .catch(unless("ImageNotFoundException", undefined))
      .catch(unless("RepositoryNotFoundException", undefined)),
  );
  return answer?.imageDetails?.flatMap(storedImage)[0];
}

/** All of a repository, the newest first. */
export async function listImages(api: AwsApi, repository: RepositoryName): Promise<readonly StoredImage[]> {
  const call = { what: `list the images of ${repository.name}`, action: "ecr:DescribeImages" };
  const found = await allPages((nextToken) =>
    api.ecr(repository, call, async (client, sdk, options) => {
      const page = await client.send(
        new sdk.DescribeImagesCommand({
          ...registryOf(repository),
          repositoryName: repository.name,
          ...(nextToken !== undefined && { nextToken }),
        }),
        options,
      );
      return { items: page.imageDetails, next: page.nextToken };
    }),
  );
  return found
    .flatMap(storedImage)
    .sort((a, b) => b.pushedAtMs - a.pushedAtMs || (a.digest < b.digest ? -1 : 1));
}

/** The API's own limit. */
export const DELETED_AT_ONCE = 100;

/** Those that are gone afterwards, of at most {@link DELETED_AT_ONCE}. ECR keeps what an index names. */
export async function deleteImages(
  api: AwsApi,
  repository: RepositoryName,
  digests: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  const call = { what: `delete images of ${repository.name}`, action: "ecr:BatchDeleteImage" };
  const { failures = [] } = await api.ecr(repository, call, (client, sdk, options) =>
    client.send(
      new sdk.BatchDeleteImageCommand({
        ...registryOf(repository),
        repositoryName: repository.name,
        imageIds: digests.map((imageDigest) => ({ imageDigest })),
      }),
      options,
    ),
  );
  const kept = new Set(
    failures.flatMap(({ imageId, failureCode }) =>
      failureCode === "ImageNotFound" ? [] : [imageId?.imageDigest],
    ),
  );
  return new Set(digests.filter((digest) => !kept.has(digest)));
}

function storedImage({
  imageDigest = "",
  imageTags = [],
  imageSizeInBytes = 0,
  imagePushedAt,
}: ImageDetail): StoredImage[] {
  if (!isDigest(imageDigest)) return [];
  const pushedAtMs = imagePushedAt?.getTime() ?? 0;
  return [{ digest: imageDigest, tags: [...imageTags].sort(), size: imageSizeInBytes, pushedAtMs }];
}
