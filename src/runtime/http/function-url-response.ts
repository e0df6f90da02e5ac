import { isObject, parseObject } from "../../oci/json.ts";

/** The response of a function URL. */
export interface UrlResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** Headers that only the server sets. */
const CONNECTION_HEADERS = new Set(["connection", "content-length", "keep-alive", "transfer-encoding"]);
/** The response for a failed function; the reason is only in the log. */
export const FAILED: UrlResponse = {
  status: 502,
  headers: { "content-type": "text/plain" },
  body: Buffer.from("Internal Server Error"),
};

/**
 * Converts a function's response as a function URL does: an object with a statusCode contains
 * status, headers, cookies and body; any other JSON is the body of a 200.
 */
export function urlResponse(payload: Buffer): UrlResponse {
  const value = parseObject(payload.toString());
  if (value?.["statusCode"] === undefined) {
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
function responseHead(value: Readonly<Record<string, unknown>>): Omit<UrlResponse, "body"> | undefined {
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

/**
 * The content type of a stream that begins with its status and headers: JSON, eight zero bytes,
 * body.
 */
export const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
const DELIMITER = Buffer.alloc(8);
/** A longer start is not a prelude. */
const MAX_PRELUDE = 1024 * 1024;

export type StreamHead = Omit<UrlResponse, "body">;

/** Finds the prelude of a streamed response, which may span several chunks. */
export class Prelude {
  #read: Buffer = Buffer.alloc(0);

  /**
   * Adds a chunk. Returns undefined until the prelude is complete.
   * @throws TypeError if there is no valid prelude
   */
  push(chunk: Uint8Array): { readonly head: StreamHead; readonly rest: Buffer } | undefined {
    this.#read = Buffer.concat([this.#read, chunk]);
    const end = this.#read.indexOf(DELIMITER);
    if (end < 0 && this.#read.length > MAX_PRELUDE) throw new TypeError("the stream has no prelude");
    if (end < 0) return undefined;
    const value = parseObject(this.#read.toString("utf8", 0, end));
    const head = value && responseHead(value);
    if (!head) throw new TypeError("the prelude of the stream has no valid statusCode");
    return { head, rest: this.#read.subarray(end + DELIMITER.length) };
  }
}
