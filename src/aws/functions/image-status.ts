import { LambdaPackError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { findImage } from "../ecr/images.ts";
import { parseRepositoryUri, type RepositoryName } from "../ecr/repository-name.ts";
import { readPolicy } from "../ecr/repository-policy.ts";
import { LAMBDA } from "../policy/policy.ts";
import { grants } from "../policy/policy-grants.ts";
import type { FunctionFacts } from "./function-facts.ts";
import type { FunctionPlace } from "./function-name.ts";

/** What ECR says of the image that a function runs. */
export interface ImageFacts {
  /** By digest. */
  readonly reference: string;
  readonly digest: Digest;
  /** undefined: ECR does not let the caller see it. */
  readonly exists?: boolean;
  readonly tags: readonly string[];
  /** Bytes, compressed. */
  readonly size?: number;
  /** Whether the repository's policy lets Lambda pull for this function; undefined: the caller may not read it. */
  readonly pullable?: boolean;
}

/** undefined: the function has no image of ECR. What the caller may not see is left out, with a warning. */
export async function imageStatus(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, digest, arn }: FunctionFacts,
): Promise<ImageFacts | undefined> {
  const repository = imageUri === undefined ? undefined : parseRepositoryUri(imageUri);
  if (!repository || !digest) return undefined;
  const reference = `${imageUri?.replace(/[:@][^/]*$/, "")}@${digest}`;
  const functions = arn.replace(/:function:.*$/, ":function:*");
  const [image, pullable] = await Promise.all([
    seen(api, findImage(api, repository, digest)),
    seen(api, mayPull(api, { ...repository, region: place.region }, functions)),
  ]);
  return {
    reference,
    digest,
    tags: image?.value?.tags ?? [],
    ...(image && { exists: image.value !== undefined }),
    ...(image?.value && { size: image.value.size }),
    ...(pullable?.value !== undefined && { pullable: pullable.value }),
  };
}

async function mayPull(api: AwsApi, repository: RepositoryName, functions: string): Promise<boolean> {
  const policy = await readPolicy(api, repository);
  return policy !== undefined && grants(policy, LAMBDA, functions);
}

/** undefined where the caller may not see it. */
async function seen<T>(api: AwsApi, asked: Promise<T>): Promise<{ readonly value: T } | undefined> {
  try {
    return { value: await asked };
  } catch (error) {
    if (!(error instanceof LambdaPackError) || !["DENIED", "REPOSITORY_NOT_FOUND"].includes(error.code))
      throw error;
    api.emit({
      type: "warning",
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
    return undefined;
  }
}
