import { mapConcurrent } from "../../async/concurrency.ts";
import type { Digest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { allPages } from "../pages.ts";
import { incomplete } from "../refusals.ts";
import { digestOf } from "./function-facts.ts";
import { findFunction } from "./functions.ts";

interface Listed {
  readonly name: string;
  readonly version: string;
  readonly digest: Digest | undefined;
}

/** GetFunction has 100 requests a second for a whole account; these leave room for others. */
const AT_ONCE = 8;

/**
 * Every image that a function or a version of the region runs; an alias names versions. Asked twice for each: the list has CodeSha256, and the function
 * itself the image that it was resolved to. Throws rather than know only a part: REGISTRY_ANSWER where one does not tell its image.
 */
export async function usedImages(api: AwsApi, region: string): Promise<ReadonlySet<Digest>> {
  const listed = await listFunctions(api, region);
  const asked = await mapConcurrent(listed, { limit: AT_ONCE }, (one) => imageOf(api, region, one));
  return new Set([...listed.map(({ digest }) => digest), ...asked].flatMap((digest) => digest ?? []));
}

/** As {@link usedImages}, by the list alone where that tells the image: what came into use since then, quickly. */
export async function listedImages(api: AwsApi, region: string): Promise<ReadonlySet<Digest>> {
  const listed = await listFunctions(api, region);
  const digests = await mapConcurrent(
    listed,
    { limit: AT_ONCE },
    async (one) => one.digest ?? imageOf(api, region, one),
  );
  return new Set(digests.flatMap((digest) => digest ?? []));
}

/** undefined: the function was deleted meanwhile. @throws REGISTRY_ANSWER where neither the list nor the function tells its image. */
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

/** The functions of images, each with all of its versions. */
async function listFunctions(api: AwsApi, region: string): Promise<readonly Listed[]> {
  const call = { what: `list the functions of ${region}`, action: "lambda:ListFunctions" };
  const all = await allPages((marker) =>
    api.lambda(region, call, async (client, sdk, options) => {
      const input = { FunctionVersion: "ALL", ...(marker !== undefined && { Marker: marker }) } as const;
      const { Functions, NextMarker } = await client.send(new sdk.ListFunctionsCommand(input), options);
      if (!Functions) throw incomplete(`the functions of ${region}`, "Functions");
      return { items: Functions, next: NextMarker };
    }),
  );
  return all.flatMap((one) => {
    const { FunctionName: name, PackageType, Version: version = "$LATEST" } = one;
    if (name === undefined || PackageType === undefined)
      throw incomplete(`a function of ${region}`, "FunctionName or PackageType");
    return PackageType === "Image" ? [{ name, version, digest: digestOf(undefined, one) }] : [];
  });
}
