import { LambdaPackError } from "../../errors.ts";
import { type AwsApi, allPages } from "../api.ts";
import { undefinedOn } from "../refusals.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import { failed } from "./states.ts";
import { listAliases, listVersions } from "./versions.ts";

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
    ...counted(versions, "version", "versions"),
    ...counted(aliases, "alias", "aliases"),
    ...counted(sources, "event source", "event sources"),
    ...counted(urls, "function URL", "function URLs"),
    ...(policy ? ["the resource policy"] : []),
    ...(asynchronous.length > 0 ? ["the settings for asynchronous calls"] : []),
    ...(reservedConcurrency === undefined ? [] : ["the reserved concurrency"]),
    ...(stack === undefined ? [] : [`the membership in the stack ${stack}`]),
  ];
}

function counted({ length }: readonly unknown[], one: string, many: string): readonly string[] {
  return length === 0 ? [] : [`${length} ${length === 1 ? one : many}`];
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
    `${message}; it accepts no new code, and deleting it would lose ${attached.join(", ")}`,
    { hint: `${hint}\n--recreate deletes it and creates it again with its settings, but without these` },
  );
}
