import { hasCode, LambdaPackError } from "../../errors.ts";
import { type AwsApi, allPages } from "../api.ts";
import { causedBy, undefinedOn } from "../refusals.ts";
import { type DeployContext, type DesiredFunction, recordStep } from "./deploy-context.ts";
import { type FunctionFacts, mergedSettings, type ReadSettings } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { createFunction, deleteFunction, type NewFunction } from "./functions.ts";
import { failed } from "./states.ts";
import { checkRestorable } from "./unreadable.ts";
import { listAliases, listVersions } from "./versions.ts";
import { untilPropagated, waitUntilSettled } from "./wait.ts";

type NewSettings = Pick<DesiredFunction, "settings"> & Pick<NewFunction, "others" | "tags">;

/** Creates the function and waits for it to be Active. If it exists, the caller updates it. */
export async function createAndWait(
  context: DeployContext,
  given: NewSettings = { settings: context.desired.settings, tags: context.desired.resourceTags ?? {} },
): Promise<FunctionFacts> {
  const { api, place, desired } = context;
  recordStep(context, "create the function");
  const { role } = given.settings;
  if (role === undefined) throw needsRole(place);
  const { imageUri, architecture } = desired;
  const wanted = { ...given, imageUri, architecture, settings: { ...given.settings, role } };
  try {
    await untilPropagated(api, `create ${formatPlace(place)}`, () => createFunction(api, place, wanted));
  } catch (error) {
    // An earlier attempt, whose answer was lost, may have created it.
    if (!causedBy(error, "ResourceConflictException") || !/already exist/i.test(error.message)) throw error;
  }
  const facts = await waitUntilSettled(api, place);
  if (facts.state.value === "Failed") throw failed(place, facts);
  return facts;
}

export function needsRole(place: FunctionPlace): LambdaPackError {
  return new LambdaPackError("FUNCTION_NOT_FOUND", `there is no function ${formatPlace(place)}`, {
    hint: "to create it, give its execution role: --role arn:aws:iam::<account>:role/<name>; or check the name and the region",
  });
}

/**
 * Deletes a function that accepts no new code because its creation failed (Lambda documentation,
 * "Lambda function states"), and creates it again with its settings. Without `recreate` it does so
 * only if nothing is attached to the function.
 * @throws FUNCTION_FAILED, which says what would be lost; DENIED or AWS_REFUSED if a setting that
 * the new function needs cannot be read.
 */
export async function recreateFunction(context: DeployContext, old: FunctionFacts): Promise<FunctionFacts> {
  const { api, place, desired } = context;
  checkRestorable(place, old, desired.settings);
  const attached = desired.recreate ? [] : await attachmentsOf(api, place, old);
  if (attached.length > 0) {
    const { message, hint } = failed(place, old);
    throw new LambdaPackError(
      "FUNCTION_FAILED",
      `${message}; it accepts no new code, and deleting it would lose ${attached.join(", ")}`,
      { hint: `${hint}\n--recreate deletes it and creates it again with its settings, but without these` },
    );
  }
  recordStep(context, "delete the function, whose creation failed");
  await deleteFunction(api, place);
  const previous = previousSettings(context, old);
  try {
    return await createAndWait(context, previous);
  } catch (error) {
    // After FUNCTION_FAILED the function exists again, with all of its settings.
    if (!hasCode(error, "FUNCTION_FAILED")) warnOfLoss(context, previous.settings);
    throw error;
  }
}

/** Returns the function's settings, changed as desired. Tags of AWS itself cannot be set. */
function previousSettings({ desired }: DeployContext, { settings, others, tags }: FunctionFacts) {
  const own = Object.entries(tags).filter(([name]) => !name.startsWith("aws:"));
  return {
    settings: { ...settings, ...mergedSettings(settings, desired.settings) },
    others,
    tags: { ...Object.fromEntries(own), ...desired.resourceTags },
  } satisfies NewSettings;
}

/** Warns of the lost settings, without the values of variables, which may be secret. */
function warnOfLoss(
  { api, place }: DeployContext,
  { role, memory, timeout, ephemeralStorage, env = {} }: ReadSettings,
): void {
  const names = Object.keys(env);
  api.emit({
    type: "warning",
    message: `${formatPlace(place)} was deleted to be created again, and may not exist now`,
    hint: `deploy it again with its settings: --role ${role} --memory ${memory} --timeout ${timeout} --ephemeral-storage ${ephemeralStorage}${names.length > 0 ? `, and the variables ${names.join(", ")}` : ""}`,
  });
}

/**
 * Lists, as text, what is lost when a function is deleted and created again with its settings.
 * @throws DENIED if the caller may not read all of it.
 */
export async function attachmentsOf(
  api: AwsApi,
  place: FunctionPlace,
  { tags, reservedConcurrency }: FunctionFacts,
): Promise<readonly string[]> {
  const { region } = place;
  const FunctionName = functionId(place);
  const name = formatPlace(place);
  const [versions, aliases, sources, urls, asynchronous, policy] = await Promise.all([
    listVersions(api, place),
    listAliases(api, place),
    allPages(`the event sources of ${name}`, "EventSourceMappings", (Marker, what) =>
      api.lambda(region, "ListEventSourceMappings", { FunctionName, Marker }, what),
    ),
    allPages(`the URLs of ${name}`, "FunctionUrlConfigs", (Marker, what) =>
      api.lambda(region, "ListFunctionUrlConfigs", { FunctionName, Marker }, what),
    ),
    allPages(`the settings for asynchronous calls of ${name}`, "FunctionEventInvokeConfigs", (Marker, what) =>
      api.lambda(region, "ListFunctionEventInvokeConfigs", { FunctionName, Marker }, what),
    ),
    api
      .lambda(region, "GetPolicy", { FunctionName }, `read the resource policy of ${name}`)
      .catch(undefinedOn("ResourceNotFoundException")),
  ]);
  const stack = tags["aws:cloudformation:stack-name"];
  return [
    ...counted(versions, "version"),
    ...counted(aliases, "alias", "aliases"),
    ...counted(sources, "event source"),
    ...counted(urls, "function URL"),
    ...(policy ? ["the resource policy"] : []),
    ...(asynchronous.length > 0 ? ["the settings for asynchronous calls"] : []),
    ...(reservedConcurrency === undefined ? [] : ["the reserved concurrency"]),
    ...(stack === undefined ? [] : [`the membership in the stack ${stack}`]),
  ];
}

function counted({ length }: readonly unknown[], one: string, many = `${one}s`): readonly string[] {
  return length === 0 ? [] : [`${length} ${length === 1 ? one : many}`];
}
