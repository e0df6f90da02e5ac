import { LambdaPackError } from "../../errors.ts";
import { hexOf } from "../../oci/digest.ts";
import type { AwsApi } from "../api.ts";
import { missingSettings, plannedChanges } from "./change-function.ts";
import { needsRole } from "./create-function.ts";
import type { DesiredFunction } from "./deploy-context.ts";
import type { Deployed } from "./deploy-function.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { checkAddable } from "./unreadable.ts";
import { findAlias, listVersions, planAlias, publishedAs } from "./versions.ts";
import { callStep } from "./warm.ts";

/**
 * Reads the function before anything changes; undefined if the deploy will create it.
 * @throws FUNCTION_UNFIT for a Zip function, FUNCTION_NOT_FOUND if it has to be created and no
 * role is given, DENIED or AWS_REFUSED where the deploy adds to settings that cannot be read.
 */
export async function preflight(
  api: AwsApi,
  place: FunctionPlace,
  wanted: Partial<FunctionSettings>,
): Promise<FunctionFacts | undefined> {
  const facts = await findFunction(api, place);
  if (!facts && wanted.role === undefined) throw needsRole(place);
  if (facts && facts.packageType !== "Image") throw zip(place);
  if (facts) checkAddable(place, facts, wanted);
  return facts;
}

function zip(place: FunctionPlace): LambdaPackError {
  return new LambdaPackError("FUNCTION_UNFIT", `the function ${formatPlace(place)} is of package type Zip`, {
    hint: "a function's package type can never change: deploy the image to a function of another name, and move the triggers",
  });
}

/** @throws FUNCTION_UNFIT, because Lambda loads images only from the function's own region. */
export function checkSameRegion(place: FunctionPlace, uri: string, region: string): void {
  if (place.region === region) return;
  throw new LambdaPackError(
    "FUNCTION_UNFIT",
    `the function ${formatPlace(place)} cannot load ${uri}: that repository is in ${region}`,
    { hint: `give --region ${region}, or let deploy push the image to ${place.region}: --repo <name>` },
  );
}

/** Finds what a deploy would change, and changes nothing. */
export async function planFunction(
  api: AwsApi,
  place: FunctionPlace,
  desired: DesiredFunction,
  found: FunctionFacts | undefined,
): Promise<Deployed> {
  const context = { api, place, desired, steps: [] };
  const steps = found ? plannedChanges(context, found) : ["create the function"];
  if (desired.publish || desired.alias) steps.push(...(await versionSteps(api, place, desired, found)));
  else if (desired.warm && steps.length > 0) steps.push(callStep("$LATEST"));
  for (const what of steps)
    api.emit({ type: "function-step", function: place.name, region: place.region, what, planned: true });
  return {
    function: place.name,
    region: place.region,
    how: "planned",
    arn: found?.arn ?? place.name,
    version: found?.version ?? "$LATEST",
    digest: desired.digest,
    state: found?.state.value ?? "none",
    steps,
  };
}

async function versionSteps(
  api: AwsApi,
  place: FunctionPlace,
  desired: DesiredFunction,
  found: FunctionFacts | undefined,
): Promise<readonly string[]> {
  const { alias, warm } = desired;
  const versions = found ? await listVersions(api, place) : [];
  const same = found && publishedAs(afterDeploy(place, found, desired), versions);
  const version = same?.version ?? String(Number(versions.at(-1)?.version ?? 0) + 1);
  const move = alias && planAlias(alias, version, found && (await findAlias(api, place, alias.name)));
  const publishing = same ? [] : ["publish a version"];
  const moving = move ? [move.what] : [];
  const warming = warm && publishing.length + moving.length > 0 ? [callStep(version)] : [];
  return [...publishing, ...warming, ...moving];
}

/** Returns the function as it will be after the deploy. */
function afterDeploy(place: FunctionPlace, found: FunctionFacts, desired: DesiredFunction): FunctionFacts {
  const { digest, architecture } = desired;
  const settings = { ...found.settings, ...missingSettings(place, found, desired) };
  return { ...found, digest, codeSha256: hexOf(digest), architecture, settings };
}
