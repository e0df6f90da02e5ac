import { LambdaPackError } from "../../errors.ts";
import { type AwsApi, allPages, type Page } from "../api.ts";
import { undefinedOn } from "../refusals.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { failed } from "./states.ts";
import { listAliases, listVersions } from "./versions.ts";

/**
 * Lists, as text, what is lost when a function is deleted and created again with its settings.
 * @throws DENIED where the caller may not read all of it.
 */
export async function attachmentsOf(
  api: AwsApi,
  place: FunctionPlace,
  { tags, reservedConcurrency }: FunctionFacts,
): Promise<readonly string[]> {
  const [versions, aliases, sources, urls, asynchronous, isShared] = await Promise.all([
    listVersions(api, place),
    listAliases(api, place),
    eventSources(api, place),
    functionUrls(api, place),
    asynchronousSettings(api, place),
    hasPolicy(api, place),
  ]);
  const stack = tags["aws:cloudformation:stack-name"];
  return [
    ...words(versions.length, "version", "versions"),
    ...words(aliases.length, "alias", "aliases"),
    ...words(sources, "event source", "event sources"),
    ...words(urls, "function URL", "function URLs"),
    ...(isShared ? ["the resource policy"] : []),
    ...(asynchronous > 0 ? ["the settings for asynchronous calls"] : []),
    ...(reservedConcurrency === undefined ? [] : ["the reserved concurrency"]),
    ...(stack === undefined ? [] : [`the tie to the stack ${stack}`]),
  ];
}

/** Returns the error for a function that accepts no new code and would lose parts if recreated. */
export function wouldLose(
  place: FunctionPlace,
  facts: FunctionFacts,
  attached: readonly string[],
): LambdaPackError {
  const { message, hint } = failed(place, facts);
  return new LambdaPackError(
    "FUNCTION_FAILED",
    `${message}; it takes no new code, and to delete it would lose ${attached.join(", ")}`,
    { hint: `${hint}\n--recreate deletes it and creates it again with its settings, but without these` },
  );
}

/** Counts the entries of a list for the function; `ask` reads one page. */
async function counted<T>(
  ask: (input: { readonly FunctionName: string; readonly Marker: string | undefined }) => Promise<Page<T>>,
  place: FunctionPlace,
): Promise<number> {
  return (await allPages((Marker) => ask({ FunctionName: functionId(place), Marker }))).length;
}

function eventSources(api: AwsApi, place: FunctionPlace): Promise<number> {
  const what = `list the event sources of ${formatPlace(place)}`;
  return counted(async (input) => {
    const call = { what, action: "lambda:ListEventSourceMappings" };
    const page = await api.lambda(place.region, call, (sdk) => new sdk.ListEventSourceMappingsCommand(input));
    return { items: page.EventSourceMappings, next: page.NextMarker };
  }, place);
}

function functionUrls(api: AwsApi, place: FunctionPlace): Promise<number> {
  const what = `list the URLs of ${formatPlace(place)}`;
  return counted(async (input) => {
    const call = { what, action: "lambda:ListFunctionUrlConfigs" };
    const page = await api.lambda(place.region, call, (sdk) => new sdk.ListFunctionUrlConfigsCommand(input));
    return { items: page.FunctionUrlConfigs, next: page.NextMarker };
  }, place);
}

function asynchronousSettings(api: AwsApi, place: FunctionPlace): Promise<number> {
  const what = `list the settings for asynchronous calls of ${formatPlace(place)}`;
  return counted(async (input) => {
    const call = { what, action: "lambda:ListFunctionEventInvokeConfigs" };
    const page = await api.lambda(
      place.region,
      call,
      (sdk) => new sdk.ListFunctionEventInvokeConfigsCommand(input),
    );
    return { items: page.FunctionEventInvokeConfigs, next: page.NextMarker };
  }, place);
}

/** Returns whether the function has a resource policy, which allows others to call it. */
async function hasPolicy(api: AwsApi, place: FunctionPlace): Promise<boolean> {
  const call = { what: `read the resource policy of ${formatPlace(place)}`, action: "lambda:GetPolicy" };
  const found = await api
    .lambda(place.region, call, (sdk) => new sdk.GetPolicyCommand({ FunctionName: functionId(place) }))
    .catch(undefinedOn("ResourceNotFoundException"));
  return found !== undefined;
}

function words(count: number, one: string, many: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}
