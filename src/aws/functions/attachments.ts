import { LambdaPackError } from "../../errors.ts";
import type { AwsApi } from "../api.ts";
import type { Sending } from "../in-time.ts";
import { allPages, type Page } from "../pages.ts";
import { unless } from "../refusals.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { type FunctionPlace, formatPlace, functionId } from "./function-name.ts";
import type { OpenLambda } from "./lambda-client.ts";
import { failed } from "./states.ts";
import { listAliases, listVersions } from "./versions.ts";

/**
 * What hangs on a function beside its settings, in words: all that is lost when it is deleted and created again.
 * @throws DENIED where the caller may not see it all.
 */
export async function attachmentsOf(
  api: AwsApi,
  place: FunctionPlace,
  { tags, reservedConcurrency }: FunctionFacts,
): Promise<readonly string[]> {
  const [versions, aliases, sources, urls, asynchronous, isShared] = await Promise.all([
    listVersions(api, place),
    listAliases(api, place),
    listed(api, place, EVENT_SOURCES),
    listed(api, place, URLS),
    listed(api, place, ASYNCHRONOUS),
    hasPolicy(api, place),
  ]);
  const stack = tags["aws:cloudformation:stack-name"];
  return [
    ...counted(versions.length, "version", "versions"),
    ...counted(aliases.length, "alias", "aliases"),
    ...counted(sources, "event source", "event sources"),
    ...counted(urls, "function URL", "function URLs"),
    ...(isShared ? ["the resource policy"] : []),
    ...(asynchronous > 0 ? ["the settings for asynchronous calls"] : []),
    ...(reservedConcurrency === undefined ? [] : ["the reserved concurrency"]),
    ...(stack === undefined ? [] : [`the tie to the stack ${stack}`]),
  ];
}

/** The function failed when it was created, takes no new code, and cannot be created again without a loss. */
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

/** A list of things that name a function; `ask` sends for one page. */
interface Attached {
  readonly what: string;
  readonly action: string;
  readonly ask: (
    { client, sdk }: Pick<OpenLambda, "client" | "sdk">,
    input: { readonly FunctionName: string; readonly Marker?: string },
    options: Sending,
  ) => Promise<Page<unknown>>;
}

const EVENT_SOURCES: Attached = {
  what: "list the event sources",
  action: "lambda:ListEventSourceMappings",
  ask: async ({ client, sdk }, input, options) => {
    const page = await client.send(new sdk.ListEventSourceMappingsCommand(input), options);
    return { items: page.EventSourceMappings, next: page.NextMarker };
  },
};

const URLS: Attached = {
  what: "list the URLs",
  action: "lambda:ListFunctionUrlConfigs",
  ask: async ({ client, sdk }, input, options) => {
    const page = await client.send(new sdk.ListFunctionUrlConfigsCommand(input), options);
    return { items: page.FunctionUrlConfigs, next: page.NextMarker };
  },
};

const ASYNCHRONOUS: Attached = {
  what: "list the settings for asynchronous calls",
  action: "lambda:ListFunctionEventInvokeConfigs",
  ask: async ({ client, sdk }, input, options) => {
    const page = await client.send(new sdk.ListFunctionEventInvokeConfigsCommand(input), options);
    return { items: page.FunctionEventInvokeConfigs, next: page.NextMarker };
  },
};

/** How many there are. */
async function listed(api: AwsApi, place: FunctionPlace, { what, action, ask }: Attached): Promise<number> {
  const call = { what: `${what} of ${formatPlace(place)}`, action };
  const all = await allPages((marker) =>
    api.lambda(place.region, call, (client, sdk, options) =>
      ask(
        { client, sdk },
        { FunctionName: functionId(place), ...(marker !== undefined && { Marker: marker }) },
        options,
      ),
    ),
  );
  return all.length;
}

/** Whether others have been allowed to call it. */
function hasPolicy(api: AwsApi, place: FunctionPlace): Promise<boolean> {
  const call = { what: `read the resource policy of ${formatPlace(place)}`, action: "lambda:GetPolicy" };
  return api.lambda(place.region, call, (client, sdk, options) =>
    client
      .send(new sdk.GetPolicyCommand({ FunctionName: functionId(place) }), options)
      .then(() => true)
      .catch(unless("ResourceNotFoundException", false)),
  );
}

function counted(count: number, one: string, many: string): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
}
