export interface LambdaRoute {
  /** As the API reference names it. */
  readonly operation: string;
  /** Name or ARN. */
  readonly name: string;
  /** An alias. */
  readonly more: string;
}

/** Parts of the API are of other days. */
const FUNCTIONS = /^\/(?:2015-03-31|2021-10-31|2019-09-25)\/functions/;
const TAGS = "/2017-03-31/tags/";
const LAYERS = "/2018-10-31/layers/";
const EVENT_SOURCES = "/2015-03-31/event-source-mappings";

/** Method, what follows the function's name (a star for a name), and the operation. */
const ROUTES: readonly (readonly [method: string, path: string, operation: string])[] = [
  ["GET", "", "GetFunction"],
  ["DELETE", "", "DeleteFunction"],
  ["GET", "/configuration", "GetFunctionConfiguration"],
  ["PUT", "/configuration", "UpdateFunctionConfiguration"],
  ["PUT", "/code", "UpdateFunctionCode"],
  ["GET", "/versions", "ListVersionsByFunction"],
  ["POST", "/versions", "PublishVersion"],
  ["GET", "/aliases", "ListAliases"],
  ["POST", "/aliases", "CreateAlias"],
  ["GET", "/aliases/*", "GetAlias"],
  ["PUT", "/aliases/*", "UpdateAlias"],
  ["POST", "/invocations", "Invoke"],
  ["GET", "/policy", "GetPolicy"],
  ["GET", "/urls", "ListFunctionUrlConfigs"],
  ["GET", "/event-invoke-config/*", "ListFunctionEventInvokeConfigs"],
];

export function routeOf(method: string, url: URL): LambdaRoute {
  return otherRoute(method, url) ?? functionRoute(method, url);
}

/** Of what is not below a function in the API's paths. */
function otherRoute(method: string, { pathname, searchParams }: URL): LambdaRoute | undefined {
  if (method === "GET" && pathname.replace(/\/$/, "") === EVENT_SOURCES)
    return { operation: "ListEventSourceMappings", name: searchParams.get("FunctionName") ?? "", more: "" };
  if (method === "POST" && pathname.startsWith(TAGS))
    return { operation: "TagResource", name: decodeURIComponent(pathname.slice(TAGS.length)), more: "" };
  if (method === "GET" && pathname.startsWith(LAYERS))
    return { operation: "GetLayerVersion", name: decodeURIComponent(pathname.split("/")[3] ?? ""), more: "" };
  return undefined;
}

function functionRoute(method: string, { pathname }: URL): LambdaRoute {
  const none = { name: "", more: "" };
  if (!FUNCTIONS.test(pathname)) return { operation: "unknown", ...none };
  const [name = "", ...rest] = pathname
    .replace(FUNCTIONS, "")
    .split("/")
    .filter(Boolean)
    .map(decodeURIComponent);
  if (name === "") return { operation: method === "POST" ? "CreateFunction" : "ListFunctions", ...none };
  const more = rest[1] ?? "";
  const path = rest.length === 0 ? "" : `/${rest[0]}${more === "" ? "" : "/*"}`;
  const found = ROUTES.find(([verb, form]) => verb === method && form === path);
  return { operation: found?.[2] ?? "unknown", name, more };
}
