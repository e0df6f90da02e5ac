import { mapConcurrent } from "../../async/concurrency.ts";
import type { Digest } from "../../oci/digest.ts";
import { type AwsApi, allPages } from "../api.ts";
import { findImage } from "../ecr/images.ts";
import { parseRepositoryUri, type RepositoryName } from "../ecr/names.ts";
import { readPolicy } from "../ecr/repositories.ts";
import { LAMBDA } from "../policy/policy.ts";
import { grants } from "../policy/policy-document.ts";
import { incomplete, unlessDenied } from "../refusals.ts";
import { digestOf, type FunctionFacts } from "./function-facts.ts";
import type { FunctionPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";

/** The image that a function runs, as ECR describes it. */
export interface ImageStatus {
  /** The image by digest. */
  readonly reference: string;
  readonly digest: Digest;
  /** undefined: the caller may not see it. */
  readonly exists?: boolean;
  readonly tags: readonly string[];
  /** Compressed size in bytes. */
  readonly size?: number;
  /** Whether the repository's policy lets Lambda pull; undefined: the caller may not read it. */
  readonly pullable?: boolean;
}

/**
 * Reads the state of a function's image; undefined if it is not in ECR. Leaves out what the caller
 * may not see, with a warning.
 */
export async function imageStatus(
  api: AwsApi,
  place: FunctionPlace,
  { imageUri, digest, arn }: FunctionFacts,
): Promise<ImageStatus | undefined> {
  const repository = imageUri === undefined ? undefined : parseRepositoryUri(imageUri, api.environment);
  if (!repository || !digest) return undefined;
  const functions = arn.replace(/:function:.*$/, ":function:*");
  const [images, pullable] = await Promise.all([
    unlessDenied(
      api,
      findImage(api, repository, digest).then((image) => [image]),
    ),
    unlessDenied(api, mayPull(api, { ...repository, region: place.region }, functions)),
  ]);
  const image = images?.[0];
  return {
    reference: `${imageUri?.replace(/[:@][^/]*$/, "")}@${digest}`,
    digest,
    tags: image?.tags ?? [],
    ...(images && { exists: image !== undefined }),
    ...(image && { size: image.size }),
    ...(pullable !== undefined && { pullable }),
  };
}

async function mayPull(api: AwsApi, repository: RepositoryName, functions: string): Promise<boolean> {
  const policy = await readPolicy(api, repository);
  return policy !== undefined && grants(policy, LAMBDA, functions);
}

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly digest: Digest | undefined;
}

/** GetFunction allows 100 requests a second per account; this leaves room for other callers. */
const AT_ONCE = 8;

/**
 * Lists every image that a function in the region, or one of its versions, runs; aliases point to
 * versions. It uses both the list (CodeSha256) and each function itself (the resolved image).
 * @throws REGISTRY_ANSWER if the image of one is unknown.
 */
export async function usedImages(api: AwsApi, region: string): Promise<ReadonlySet<Digest>> {
  const listed = await listFunctions(api, region);
  const asked = await mapConcurrent(listed, { limit: AT_ONCE }, (one) => imageOf(api, region, one));
  return new Set([...listed.map(({ digest }) => digest), ...asked].flatMap((digest) => digest ?? []));
}

/**
 * Reads the image of a function; undefined if the function was deleted.
 * @throws REGISTRY_ANSWER if the image is unknown.
 */
async function imageOf(
  api: AwsApi,
  region: string,
  { name, version, digest }: Listed,
): Promise<Digest | undefined> {
  const facts = await findFunction(api, { name, region }, version === "$LATEST" ? undefined : version);
  if (facts && !facts.digest && !digest)
    throw incomplete(`the function ${name} (${version}) in ${region}`, "image digest");
  return facts?.digest;
}

/** Lists the functions that run images, with all of their versions. */
async function listFunctions(api: AwsApi, region: string): Promise<readonly Listed[]> {
  const all = await allPages(`the functions of ${region}`, "Functions", (Marker, what) =>
    api.lambda(region, "ListFunctions", { FunctionVersion: "ALL", Marker }, what),
  );
  return all.flatMap((one) => {
    const { FunctionName: name, PackageType, Version: version = "$LATEST" } = one;
    if (name === undefined || PackageType === undefined)
      throw incomplete(`a function of ${region}`, "FunctionName or PackageType");
    return PackageType === "Image" ? [{ name, version, digest: digestOf(undefined, one) }] : [];
  });
}
