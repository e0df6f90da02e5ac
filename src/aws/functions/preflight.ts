import { LambdaPackError } from "../../errors.ts";
import type { AwsApi } from "../api.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { needsRole } from "./make-function.ts";
import { checkAddable } from "./unreadable.ts";

/**
 * The function as it is now; undefined: it will be created.
 * @throws before anything is changed: FUNCTION_UNFIT for a Zip function, FUNCTION_NOT_FOUND where one is to be created and no role is given,
 * DENIED or AWS_REFUSED where settings are to be added to those that cannot be read.
 */
export async function preflight(
  api: AwsApi,
  place: FunctionPlace,
  wanted: Partial<FunctionSettings>,
): Promise<FunctionFacts | undefined> {
  const facts = await findFunction(api, place);
  if (!facts && wanted.role === undefined) throw needsRole({ place });
  if (facts && facts.packageType !== "Image") throw zip(place);
  if (facts) checkAddable(place, facts, wanted);
  return facts;
}

function zip(place: FunctionPlace): LambdaPackError {
  return new LambdaPackError("FUNCTION_UNFIT", `the function ${formatPlace(place)} is of package type Zip`, {
    hint: "a function's package type can never change: deploy the image to a function of another name, and move the triggers",
  });
}

/** @throws FUNCTION_UNFIT: Lambda loads images only from its own region. */
export function checkSameRegion(place: FunctionPlace, uri: string, region: string): void {
  if (place.region === region) return;
  throw new LambdaPackError(
    "FUNCTION_UNFIT",
    `the function ${formatPlace(place)} cannot load ${uri}: that repository is in ${region}`,
    { hint: `give --region ${region}, or let deploy push the image to ${place.region}: --repo <name>` },
  );
}
