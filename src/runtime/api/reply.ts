import type { IncomingMessage, ServerResponse } from "node:http";

/** Lambda's limit for a response that is not streamed: 6 MiB and 100 bytes. */
export const RESPONSE_LIMIT = 6 * 1024 * 1024 + 100;
/** Lambda's limit for a streamed response (AWS docs, "Response streaming"). */
export const STREAMED_RESPONSE_LIMIT = 200 * 1024 * 1024;

export function reply(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": body.length,
    ...headers,
  });
  response.end(body);
}

export function accepted(response: ServerResponse): void {
  reply(response, 202, { status: "OK" });
}

export function refuse(
  response: ServerResponse,
  status: number,
  errorType: string,
  errorMessage: string,
): void {
  reply(response, status, { errorMessage, errorType });
}

/**
 * Reads the complete body. Returns undefined if it is longer than `limit` bytes; the rest is read
 * and discarded.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number = RESPONSE_LIMIT,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return length <= limit ? Buffer.concat(chunks) : undefined;
}

/** Returns the text of a header; "" if it is absent. */
export function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : (value ?? "");
}
