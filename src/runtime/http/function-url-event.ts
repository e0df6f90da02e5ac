import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

interface UrlRequest {
  readonly request: IncomingMessage;
  /** Path and query as the function sees them. */
  readonly url: string;
  readonly body: Buffer;
}

const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|[^;]*\+(?:json|xml)))/i;

/**
 * Returns the event for a request to a function URL: payload format 2.0 (AWS docs, "Invoking Lambda
 * function URLs").
 * @param now milliseconds since 1970
 */
export function functionUrlEvent({ request, url, body }: UrlRequest, requestId: string, now: number): object {
  const { method = "GET", headers, httpVersion, socket } = request;
  const sourceIp = socket.remoteAddress ?? "127.0.0.1";
  const [rawPath = "/", rawQueryString = ""] = splitUrl(url);
  const { cookie, ...others } = headers;
  const host = headers.host ?? "localhost";
  const query = queryOf(rawQueryString);
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split(/; */).filter(Boolean) }),
    headers: { ...singleValues(others), ...forwarded(sourceIp, host) },
    ...(query && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: "local",
      domainName: host,
      domainPrefix: host.split(".")[0],
      http: {
        ...{ method, path: rawPath, protocol: `HTTP/${httpVersion}`, sourceIp },
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey: "$default",
      stage: "$default",
      time: timeOf(new Date(now)),
      timeEpoch: now,
    },
    ...bodyOf(headers, body),
  };
}

function splitUrl(url: string): readonly string[] {
  const at = url.indexOf("?");
  return at < 0 ? [url] : [url.slice(0, at), url.slice(at + 1)];
}

/** Parses the query; values with the same name are joined by commas. */
function queryOf(text: string): Readonly<Record<string, string>> | undefined {
  if (text === "") return undefined;
  const values: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    values[name] = values[name] === undefined ? value : `${values[name]},${value}`;
  }
  return values;
}

function singleValues(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(",")]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function forwarded(sourceIp: string, host: string): Readonly<Record<string, string>> {
  const port = /:(\d+)$/.exec(host)?.[1] ?? "80";
  return { "x-forwarded-for": sourceIp, "x-forwarded-port": port, "x-forwarded-proto": "http" };
}

function bodyOf(headers: IncomingHttpHeaders, body: Buffer): object {
  if (body.length === 0) return { isBase64Encoded: false };
  const isText = TEXT.test(headers["content-type"] ?? "") && headers["content-encoding"] === undefined;
  return { body: body.toString(isText ? "utf8" : "base64"), isBase64Encoded: !isText };
}

/** Formats a time: `12/Mar/2026:19:03:58 +0000`, from `Thu, 12 Mar 2026 19:03:58 GMT`. */
function timeOf(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
