import type { ImageDetail } from "@aws-sdk/client-ecr";
import type { AwsApi } from "../api.ts";
import { inRepository } from "./repositories.ts";
import type { RepositoryName } from "./repository-name.ts";

/** The API's limit of images in one answer. */
const PAGE = 1000;
/** ECR does not sort. In a larger repository a recent image is very likely among these. */
const MOST_PAGES = 10;

/** Returns the tag of the image that was pushed last; undefined: no image has a tag. */
export async function newestTag(api: AwsApi, repository: RepositoryName): Promise<string | undefined> {
  let newest: ImageDetail | undefined;
  let token: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await describeTagged(api, repository, token);
    newest = [newest, ...(answer.imageDetails ?? [])].reduce(later);
    token = answer.nextToken;
    if (token === undefined) break;
  }
  return [...(newest?.imageTags ?? [])].sort()[0];
}

function describeTagged(api: AwsApi, repository: RepositoryName, token: string | undefined) {
  const what = `list the images of ${repository.name}`;
  const filter = { tagStatus: "TAGGED" } as const;
  const input = { ...inRepository(repository), filter, maxResults: PAGE, nextToken: token };
  return api.ecr(repository, "DescribeImages", input, what);
}

function later(a: ImageDetail | undefined, b: ImageDetail | undefined): ImageDetail | undefined {
  return (b?.imagePushedAt?.getTime() ?? 0) > (a?.imagePushedAt?.getTime() ?? 0) ? b : a;
}
