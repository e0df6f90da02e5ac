/** The response of a function URL. */
export interface UrlResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** Headers that only the server sets. */
const CONNECTION_HEADERS = new Set(["connection", "content-length", "keep-alive", "transfer-encoding"]);
const FAILED: UrlResponse = {
  status: 502,
  headers: { "content-type": "text/plain" },
  body: Buffer.from("Internal Server Error"),
};

/** Returns the response for a failed function; the reason is only in the log. */
export function failedResponse(): UrlResponse {
  return FAILED;
}

/**
 * Converts a function's response as a function URL does: an object with a statusCode contains
 * status, headers, cookies and body; any other JSON is the body of a 200.
 */
export function urlResponse(payload: Buffer): UrlResponse {
  const value = jsonOf(payload);
  if (!isObject(value) || value["statusCode"] === undefined) {
    return { status: 200, headers: { "content-type": "application/json" }, body: payload };
  }
  const head = responseHead(value);
  if (!head) return FAILED;
  const { body = "", isBase64Encoded } = value;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { ...head, body: Buffer.from(text, isBase64Encoded === true ? "base64" : "utf8") };
}

/**
 * Reads status and headers from a response object or from the prelude of a stream; returns
 * undefined for an invalid status.
 */
export function responseHead(
  value: Readonly<Record<string, unknown>>,
): Omit<UrlResponse, "body"> | undefined {
  const { statusCode = 200, headers, cookies } = value;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  const given = Object.entries(isObject(headers) ? headers : {})
    .map(([name, one]) => [name.toLowerCase(), String(one)] as const)
    .filter(([name]) => !CONNECTION_HEADERS.has(name));
  const all: Record<string, string | readonly string[]> = { "content-type": "application/json" };
  for (const [name, one] of given) all[name] = one;
  if (Array.isArray(cookies)) all["set-cookie"] = cookies.map(String);
  return { status, headers: all };
}

function jsonOf(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString());
  } catch {
    return undefined; // a runtime can answer with anything
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
