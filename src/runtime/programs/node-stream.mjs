import { logError } from "./node-log.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response";
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

globalThis.awslambda = {
  ...globalThis.awslambda,
  /** Marks a handler (event, responseStream, context) as one that streams its response. */
  streamifyResponse(handler, options) {
    handler[STREAMING] = "response";
    if (options?.highWaterMark) handler[HIGH_WATER_MARK] = Number(options.highWaterMark);
    return handler;
  },
  HttpResponseStream: {
    /** Writes status, headers and cookies before the body: JSON, eight zero bytes, body. */
    from(stream, prelude) {
      stream.setContentType(PRELUDE_TYPE);
      const { write, end } = stream;
      const first = () => {
        stream.write = write;
        stream.end = end;
        stream.write(JSON.stringify(prelude));
        stream.write(Buffer.alloc(8));
      };
      stream.write = (...chunk) => {
        first();
        return stream.write(...chunk);
      };
      stream.end = (...chunk) => {
        first();
        return stream.end(...chunk);
      };
      return stream;
    },
  },
};

export function streamsResponse(handler) {
  return handler[STREAMING] === "response";
}

/** Returns the error as Lambda's callers see it. Any value can be thrown. */
export function toErrorBody(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") };
}

/**
 * Calls a streaming handler and sends each chunk as it is written. An error is sent in the trailers.
 * @param start opens a request with headers, and returns `{ request, answered }`
 */
export async function streamResponse(handler, event, context, start) {
  const { request, answered } = start({
    "lambda-runtime-function-response-mode": "streaming",
    trailer: `${ERROR_TYPE}, ${ERROR_BODY}`,
    "transfer-encoding": "chunked",
    "content-type": "application/octet-stream",
  });
  request.setContentType = (type) => request.setHeader("content-type", type);
  const { write } = request;
  request.write = (chunk, ...rest) => write.call(request, bytesOf(chunk), ...rest);
  try {
    await handler(event, request, context);
    if (!request.writableEnded)
      throw new Error("The handler has returned and its response stream has not ended.");
  } catch (error) {
    logError("Invoke Error", error);
    if (request.writableEnded) return answered;
    const body = toErrorBody(error);
    request.addTrailers({
      [ERROR_TYPE]: body.errorType,
      [ERROR_BODY]: Buffer.from(JSON.stringify(body)).toString("base64"),
    });
    request.end();
  }
  return answered;
}

/** Converts a chunk that is neither text nor bytes to JSON. */
function bytesOf(chunk) {
  return typeof chunk === "string" || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk);
}
