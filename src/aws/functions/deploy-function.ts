import { LambdaPackError } from "../../errors.ts";
import { type Digest, hexOf } from "../../oci/digest.ts";
import { parseObject } from "../../oci/json.ts";
import { printable } from "../../registry/errors/redact.ts";
import type { AwsApi } from "../api.ts";
import { changeFunction, missingSettings, plannedChanges } from "./change-function.ts";
import { createAndWait, needsRole } from "./create-function.ts";
import {
  type DeployContext,
  type DesiredAlias,
  type DesiredFunction,
  recordStep,
  retryOnConflict,
} from "./deploy-context.ts";
import type { FunctionFacts, FunctionSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { findFunction } from "./functions.ts";
import { formatState } from "./states.ts";
import { checkAddable } from "./unreadable.ts";
import { applyAlias, findAlias, listVersions, planAlias, publishedAs, publishVersion } from "./versions.ts";
import { waitUntilSettled } from "./wait.ts";

/** The result of deploying one function. */
export interface Deployed {
  readonly function: string;
  readonly region: string;
  readonly how: "created" | "updated" | "unchanged" | "planned";
  /** The ARN of the version if one is published, else of the function. */
  readonly arn: string;
  readonly version: string;
  readonly digest: Digest;
  /** `Active`, or the state that Lambda reports. */
  readonly state: string;
  /** The changes that were made, or would be, in order. */
  readonly steps: readonly string[];
}

/**
 * Creates or updates the function until it has the desired image, settings, version and alias. It
 * changes only what differs, so the next run completes one that was interrupted.
 * @throws FUNCTION_FAILED, FUNCTION_BUSY, FUNCTION_NOT_FOUND, AWS_REFUSED, DENIED,
 * CREDENTIALS_INVALID.
 */
export async function deployFunction(
  api: AwsApi,
  place: FunctionPlace,
  desired: DesiredFunction,
): Promise<Deployed> {
  const context: DeployContext = { api, place, desired, steps: [] };
  try {
    return await deployed(context);
  } catch (error) {
    if (api.signal?.aborted) warnOfRunningStep(context);
    throw error;
  }
}

async function deployed(context: DeployContext): Promise<Deployed> {
  const { api, place, desired, steps } = context;
  const found = await findFunction(api, place);
  const latest = await changeFunction(
    context,
    found ? await waitUntilSettled(api, place) : await createAndWait(context),
  );
  const publishes = desired.publish || desired.alias !== undefined;
  const facts = publishes ? await publishVersion(context) : latest;
  if (desired.alias) await moveAlias(context, facts.version, desired.alias);
  else if (desired.warm && steps.length > 0) await warm(context, facts.version);
  const isNew = steps.includes("create the function");
  return {
    function: place.name,
    region: place.region,
    arn: facts.arn,
    version: facts.version,
    digest: desired.digest,
    state: formatState(facts),
    how: isNew ? "created" : steps.length > 0 ? "updated" : "unchanged",
    steps,
  };
}

async function moveAlias(context: DeployContext, version: string, alias: DesiredAlias): Promise<void> {
  const { api, place, desired } = context;
  const planned = async () => planAlias(alias, version, await findAlias(api, place, alias.name));
  if (!(await planned())) return;
  if (desired.warm) await warm(context, version);
  await retryOnConflict(context, async () => {
    const plan = await planned();
    if (plan) await applyAlias(context, alias.name, plan);
  });
}

function warnOfRunningStep({ api, place, steps }: DeployContext): void {
  if (steps.length === 0) return;
  api.emit({
    type: "warning",
    message: `${formatPlace(place)}: AWS has accepted the request to ${steps.at(-1)}, and continues with it`,
    hint: `run lambda-pack status ${place.name} --region ${place.region} --wait to see how it ends, then deploy again to finish the rest`,
  });
}

/** In milliseconds. An invocation answers when the function has ended, after 15 minutes at most. */
const INVOCATION_MS = 15 * 60 * 1000;

/** Error types of an image that does not start, not of a handler that fails on an empty event. */
const START = /^(?:Runtime|Extension|Sandbox)\./;

/**
 * Calls the version once, with the event `{}`, so that Lambda has loaded its image, and a version
 * that cannot start is found before the alias points to it. An error of the handler is only a
 * warning.
 * @throws FUNCTION_FAILED when it does not start.
 */
export async function warm(context: DeployContext, version: string): Promise<void> {
  const { api, place } = context;
  recordStep(context, callStep(version));
  const called = version === "$LATEST" ? formatPlace(place) : `version ${version} of ${formatPlace(place)}`;
  const input = { FunctionName: functionId(place), Qualifier: version, Payload: "{}" };
  const answer = await api.lambda(place.region, "Invoke", input, `call ${called}`, INVOCATION_MS);
  if (answer.FunctionError === undefined) return;
  const { kind, text } = errorIn(answer.Payload);
  if (START.test(kind))
    throw new LambdaPackError("FUNCTION_FAILED", `${called} does not start: ${text}; no alias was moved`, {
      hint: "read the function's log, and run lambda-pack check <image> to find what Lambda cannot start",
    });
  const message = `${called} started, and its handler failed on the event {}: ${text}`;
  api.emit({ type: "warning", message });
}

function callStep(version: string): string {
  return version === "$LATEST" ? "call the function once" : `call version ${version} once`;
}

function errorIn(payload: Uint8Array | undefined): { readonly kind: string; readonly text: string } {
  const words = Buffer.from(payload ?? []).toString();
  const { errorType, errorMessage } = parseObject(words) ?? {};
  const kind = typeof errorType === "string" ? errorType : "";
  const message = typeof errorMessage === "string" ? errorMessage : words;
  return { kind, text: printable([kind, message].filter((part) => part !== "").join(": "), 300) };
}

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
  if (facts && facts.packageType !== "Image")
    throw new LambdaPackError("FUNCTION_UNFIT", `the function ${formatPlace(place)} is of package type Zip`, {
      hint: "a function's package type can never change: deploy the image to a function of another name, and move the triggers",
    });
  if (facts) checkAddable(place, facts, wanted);
  return facts;
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

function afterDeploy(place: FunctionPlace, found: FunctionFacts, desired: DesiredFunction): FunctionFacts {
  const { digest, architecture } = desired;
  const settings = { ...found.settings, ...missingSettings(place, found, desired) };
  return { ...found, digest, codeSha256: hexOf(digest), architecture, settings };
}
