import { inLanes } from "../../async/map-concurrent.ts";
import type { Digest } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { allPages } from "../pages.ts";
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
 * itself the image that it was resolved to. Throws rather than know only a part.
 */
export async function usedImages(api: AwsApi, region: string): Promise<ReadonlySet<Digest>> {
  const listed = await listFunctions(api, region);
  const asked = await inLanes(listed, AT_ONCE, ({ name, version }) =>
    findFunction(api, { name, region }, version === "$LATEST" ? undefined : version),
  );
  return new Set([...listed, ...asked].flatMap((one) => one?.digest ?? []));
}

/** As {@link usedImages}, by the list alone: what came into use since then, quickly. */
export async function listedImages(api: AwsApi, region: string): Promise<ReadonlySet<Digest>> {
  return new Set((await listFunctions(api, region)).flatMap(({ digest }) => digest ?? []));
}

/** The functions of images, each with all of its versions. */
async function listFunctions(api: AwsApi, region: string): Promise<readonly Listed[]> {
  const call = { what: `list the functions of ${region}`, action: "lambda:ListFunctions" };
  const all = await allPages((marker) =>
    api.lambda(region, call, async (client, sdk, options) => {
      const input = { FunctionVersion: "ALL", ...(marker !== undefined && { Marker: marker }) } as const;
      const { Functions, NextMarker } = await client.send(new sdk.ListFunctionsCommand(input), options);
      return { items: Functions, next: NextMarker };
    }),
  );
  return all
    .filter(({ PackageType }) => PackageType === "Image")
    .map((one) => ({
      name: one.FunctionName ?? "",
      version: one.Version ?? "$LATEST",
      digest: digestOf(undefined, one),
    }));
}
