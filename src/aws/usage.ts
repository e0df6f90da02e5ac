import type { Digest } from "../oci/digest.ts";
import type { AwsApi } from "./api.ts";
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
  const used = new Set(listed.flatMap(({ digest }) => digest ?? []));
  const queue = listed.values();
  const lane = async () => {
    for (const { name, version } of queue) {
      const facts = await findFunction(api, { name, region }, version === "$LATEST" ? undefined : version);
      if (facts?.digest) used.add(facts.digest);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return used;
}

/** The functions of images, each with all of its versions. */
async function listFunctions(api: AwsApi, region: string): Promise<readonly Listed[]> {
  const call = { what: `list the functions of ${region}`, action: "lambda:ListFunctions" };
  const found: Listed[] = [];
  let marker: string | undefined;
  do {
    const page = await api.lambda(region, call, (client, sdk, options) =>
      client.send(
        new sdk.ListFunctionsCommand({
          FunctionVersion: "ALL",
          ...(marker !== undefined && { Marker: marker }),
        }),
        options,
      ),
    );
    for (const one of page.Functions ?? [])
      if (one.PackageType === "Image")
        found.push({
          name: one.FunctionName ?? "",
          version: one.Version ?? "$LATEST",
          digest: digestOf(undefined, one),
        });
    marker = page.NextMarker || undefined;
  } while (marker !== undefined);
  return found;
}
