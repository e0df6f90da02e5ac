import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { crc32 } from "node:zlib";
import { parseObject } from "../../oci/json.ts";
import { headerOf, readBody, reply } from "../api/reply.ts";
import type { FunctionEvent } from "../execution.ts";
import type { FunctionPool } from "../pool.ts";
import type { InvocationReport } from "../report.ts";

/** Lambda's limits for events of synchronous and asynchronous invocations. */
const SYNCHRONOUS_LIMIT = 6 * 1024 * 1024;
const ASYNCHRONOUS_LIMIT = 1024 * 1024;

const VERSION = { "x-amz-executed-version": "$LATEST" };

/**
 * Answers Lambda's Invoke action (AWS API, "Invoke"), so that an AWS SDK can use this server as its
 * endpoint. `RequestResponse` waits for the function, `Event` does not, and `DryRun` does not call
 * it.
 */
export async function answerInvoke(
  pool: FunctionPool,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const type = headerOf(request, "x-amz-invocation-type") || "RequestResponse";
  const event = await readEvent(request, response, type === "Event" ? ASYNCHRONOUS_LIMIT : SYNCHRONOUS_LIMIT);
  if (!event) return;
  switch (type) {
    case "RequestResponse":
      return sendReport(response, await pool.invoke(event), headerOf(request, "x-amz-log-type") === "Tail");
    case "Event":
      void pool.invoke(event).catch(() => undefined); // a failure is in the log
      return void response.writeHead(202, { "x-amzn-requestid": event.requestId }).end();
    case "DryRun":
      return void response.writeHead(204, VERSION).end();
    default:
      return refuseApi(response, 400, "InvalidParameterValueException", `Unknown invocation type ${type}`);
  }
}

/**
 * Answers Lambda's InvokeWithResponseStream action: each part that the function writes is sent as
 * an event at once.
 */
export async function answerInvokeWithResponseStream(
  pool: FunctionPool,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const event = await readEvent(request, response, SYNCHRONOUS_LIMIT);
  if (!event) return;
  response.writeHead(200, {
    ...VERSION,
    "content-type": "application/vnd.amazon.eventstream",
    "x-amzn-requestid": event.requestId,
  });
  const send = (chunk: Uint8Array) => {
    if (!response.destroyed) response.write(encodeEvent("PayloadChunk", "application/octet-stream", chunk));
  };
  const { outcome, logTail } = await pool.invoke({ ...event, onChunk: send });
  if (outcome.kind === "result" && !outcome.streamed) send(outcome.body);
  const complete = {
    ...(outcome.kind !== "result" && {
      ErrorCode: "Unhandled",
      ErrorDetails: outcome.body.toString(),
    }),
    ...(headerOf(request, "x-amz-log-type") === "Tail" && { LogResult: logTail.toString("base64") }),
  };
  response.end(encodeEvent("InvokeComplete", "application/json", Buffer.from(JSON.stringify(complete))));
}

/** Reads the event; returns undefined if the request was refused. */
async function readEvent(
  request: IncomingMessage,
  response: ServerResponse,
  limit: number,
): Promise<FunctionEvent | undefined> {
  const body = await readBody(request, limit);
  if (body === undefined) {
    const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
    refuseApi(response, 413, "RequestTooLargeException", message);
    return undefined;
  }
  const payload = body.length === 0 ? Buffer.from("{}") : body;
  if (!isJson(payload)) {
    refuseApi(response, 400, "InvalidRequestContentException", "Could not parse request body into json");
    return undefined;
  }
  return {
    requestId: randomUUID(),
    payload,
    traceId: headerOf(request, "x-amzn-trace-id") || undefined,
    clientContext: clientContextOf(request),
  };
}

/** Sends an error in the format of Lambda's API; the SDK takes its name from the header. */
export function refuseApi(response: ServerResponse, status: number, name: string, message: string): void {
  reply(response, status, { Type: "User", Message: message, message }, { "x-amzn-errortype": name });
}

function sendReport(
  response: ServerResponse,
  { outcome, requestId, logTail }: InvocationReport,
  tail: boolean,
): void {
  response.writeHead(200, {
    ...VERSION,
    "content-type": "application/json",
    "content-length": outcome.body.length,
    "x-amzn-requestid": requestId,
    ...(outcome.kind !== "result" && { "x-amz-function-error": "Unhandled" }),
    ...(tail && { "x-amz-log-result": logTail.toString("base64") }),
  });
  response.end(outcome.body);
}

/** Returns the caller's JSON as the value of a header: on one line, in ASCII. */
function clientContextOf(request: IncomingMessage): string | undefined {
  const context = parseObject(Buffer.from(headerOf(request, "x-amz-client-context"), "base64").toString());
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return context && JSON.stringify(context).replace(/[^\0-\x7f]/g, escaped);
}

function isJson(payload: Buffer): boolean {
  try {
    JSON.parse(payload.toString());
    return true;
  } catch {
    return false;
  }
}

const STRING = 7;

/**
 * Encodes an event for AWS's event streams (application/vnd.amazon.eventstream): lengths, headers
 * and payload with two checksums.
 */
function encodeEvent(eventType: string, contentType: string, payload: Uint8Array): Buffer {
  const headers = Buffer.concat([
    header(":message-type", "event"),
    header(":event-type", eventType),
    header(":content-type", contentType),
  ]);
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, payload]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(message));
  return Buffer.concat([message, checksum]);
}

function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  return Buffer.concat([
    Buffer.from([Buffer.byteLength(name)]),
    Buffer.from(name),
    Buffer.from([STRING]),
    length,
    Buffer.from(value),
  ]);
}
