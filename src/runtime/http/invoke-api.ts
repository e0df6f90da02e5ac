import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { headerOf, readBody, reply } from "../api/reply.ts";
import type { FunctionPool } from "../pool.ts";
import type { InvocationReport } from "../report.ts";

/** Lambda's limits for events: of a caller who waits, and of one who does not. */
const SYNCHRONOUS_LIMIT = 6 * 1024 * 1024;
const ASYNCHRONOUS_LIMIT = 1024 * 1024;

const VERSION = { "x-amz-executed-version": "$LATEST" };

/**
 * Answers Lambda's Invoke action (AWS API, "Invoke"), so that an AWS SDK whose endpoint is this server works.
 * `RequestResponse` waits for the function, `Event` does not, `DryRun` does not call it.
 */
export async function answerInvoke(
  pool: FunctionPool,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const type = headerOf(request, "x-amz-invocation-type") || "RequestResponse";
  const limit = type === "Event" ? ASYNCHRONOUS_LIMIT : SYNCHRONOUS_LIMIT;
  const body = await readBody(request, limit);
  if (body === undefined) {
    const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
    return refuseApi(response, 413, "RequestTooLargeException", message);
  }
  const payload = body.length === 0 ? Buffer.from("{}") : body;
  if (!isJson(payload))
    return refuseApi(
      response,
      400,
      "InvalidRequestContentException",
      "Could not parse request body into json",
    );
  const event = {
    requestId: randomUUID(),
    payload,
    traceId: headerOf(request, "x-amzn-trace-id") || undefined,
    clientContext: clientContextOf(request),
  };
  switch (type) {
    case "RequestResponse":
      return sendReport(response, await pool.invoke(event), headerOf(request, "x-amz-log-type") === "Tail");
    case "Event":
      void pool.invoke(event).catch(() => undefined); // what went wrong is in the log
      return void response.writeHead(202, { "x-amzn-requestid": event.requestId }).end();
    case "DryRun":
      return void response.writeHead(204, VERSION).end();
    default:
      return refuseApi(response, 400, "InvalidParameterValueException", `Unknown invocation type ${type}`);
  }
}

/** An error as Lambda's API has them: the SDK takes the name from the header. */
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

function clientContextOf(request: IncomingMessage): string | undefined {
  const encoded = headerOf(request, "x-amz-client-context");
  return encoded === "" ? undefined : Buffer.from(encoded, "base64").toString();
}

function isJson(payload: Buffer): boolean {
  try {
    JSON.parse(payload.toString());
    return true;
  } catch {
    return false;
  }
}
