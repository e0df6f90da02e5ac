// A client of Lambda's Runtime API for functions in Node: fetches events, calls the handler and posts its response.
// Used if AWS's own client (aws-lambda-ric) is not among the app's packages.
import { Agent, request } from "node:http";
import { loadHandler } from "./node-handler.mjs";
import { logError, patchConsole, setRequestId } from "./node-log.mjs";
import { streamResponse, streamsResponse, toErrorBody } from "./node-stream.mjs";

const RUNTIME = "/2018-06-01/runtime";
const [hostname, port] = (process.env.AWS_LAMBDA_RUNTIME_API ?? "").split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const nodeMajor = Number(process.versions.node.split(".")[0]);
/** Lambda refuses handlers with a callback in Node 24 and later. */
const TAKES_CALLBACKS = nodeMajor < 24;

/** Starts a request; `answered` resolves with the complete response. */
function open(method, path, headers = {}) {
  let started;
  const answered = new Promise((resolve, reject) => {
    const all = { "user-agent": "lambda-pack-node", ...headers };
    started = request({ hostname, port, method, path: RUNTIME + path, agent, headers: all }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }),
      );
      response.on("error", reject);
    });
    started.on("error", reject);
  });
  return { request: started, answered };
}

function send(method, path, body, headers) {
  const { request: started, answered } = open(method, path, headers);
  started.end(body);
  return answered;
}

function postError(path, error) {
  const body = toErrorBody(error);
  const headers = {
    "content-type": "application/json",
    "lambda-runtime-function-error-type": body.errorType,
  };
  return send("POST", path, JSON.stringify(body), headers);
}

function contextOf(headers) {
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    clientContext: json("lambda-runtime-client-context"),
    identity: json("lambda-runtime-cognito-identity"),
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

/**
 * Calls the handler, which returns a promise or calls a callback, context.done, succeed or fail.
 * If the event loop is empty before that, the response of a handler with a callback is null, and a promise never settles.
 */
function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    let isPromise = false;
    const onEmptyLoop = () => {
      if (!isPromise) return resolve(null);
      const error = new Error("The event loop is empty and the handler's promise has not settled.");
      error.name = "Runtime.NodeJsExit";
      reject(error);
    };
    process.once("beforeExit", onEmptyLoop);
    const settle = (finish) => {
      process.off("beforeExit", onEmptyLoop);
      finish();
    };
    const callback = (error, result) => {
      const finish = () => settle(() => (error ? reject(error) : resolve(result)));
      if (!context.callbackWaitsForEmptyEventLoop) return finish();
      process.off("beforeExit", onEmptyLoop);
      process.once("beforeExit", finish);
    };
    if (TAKES_CALLBACKS) addDone(context, callback);
    try {
      const result = TAKES_CALLBACKS ? handler(event, context, callback) : handler(event, context);
      isPromise = typeof result?.then === "function";
      if (isPromise)
        result.then(
          (value) => settle(() => resolve(value)),
          (error) => settle(() => reject(error)),
        );
      else if (!TAKES_CALLBACKS) settle(() => resolve(result));
    } catch (error) {
      settle(() => reject(error));
    }
  });
}

function addDone(context, callback) {
  const now = (error, result) => {
    context.callbackWaitsForEmptyEventLoop = false;
    callback(error, result);
  };
  context.done = now;
  context.succeed = (result) => now(null, result);
  context.fail = (error) => now(error ?? new Error("handled"));
}

/** @throws the error of AWS's client for a value that cannot be written as JSON */
function textOf(value) {
  try {
    return JSON.stringify(value);
  } catch {
    const error = new Error("Unable to stringify response body");
    if (!TAKES_CALLBACKS) error.name = "Runtime.JSONStringifyError";
    throw error;
  }
}

async function answer(handler, event, context) {
  const path = `/invocation/${context.awsRequestId}`;
  if (streamsResponse(handler)) {
    const start = (headers) => open("POST", `${path}/response`, headers);
    return streamResponse(handler, event, context, start);
  }
  let body;
  try {
    body = textOf((await call(handler, event, context)) ?? null);
  } catch (error) {
    logError("Invoke Error", error);
    return postError(`${path}/error`, error);
  }
  return send("POST", `${path}/response`, body, { "content-type": "application/json" });
}

/** Reports an uncaught error as the result of the current invocation, and ends the process. */
function watchUncaught(current) {
  const end = (message, error, status) => {
    logError(message, error);
    const path = current.requestId ? `/invocation/${current.requestId}/error` : "/init/error";
    void postError(path, error).finally(() => process.exit(status));
  };
  process.on("uncaughtException", (error) => end("Uncaught Exception", error, 129));
  process.on("unhandledRejection", (reason) => {
    const error = new Error(String(reason));
    error.name = "Runtime.UnhandledPromiseRejection";
    if (reason instanceof Error) error.stack = reason.stack;
    end("Unhandled Promise Rejection", error, 128);
  });
}

async function main() {
  const current = { requestId: undefined };
  patchConsole();
  watchUncaught(current);
  let handler;
  try {
    // In an image CMD is the handler and WORKDIR its directory.
    const [, , word] = process.argv;
    const taskRoot = word === undefined ? (process.env.LAMBDA_TASK_ROOT ?? process.cwd()) : process.cwd();
    handler = await loadHandler(taskRoot, word ?? process.env._HANDLER ?? "", {
      takesCallbacks: TAKES_CALLBACKS,
    });
  } catch (error) {
    logError("Uncaught Exception", error);
    await postError("/init/error", error);
    process.exit(129);
  }
  for (;;) {
    const { headers, body } = await send("GET", "/invocation/next");
    const context = contextOf(headers);
    current.requestId = context.awsRequestId;
    setRequestId(context.awsRequestId);
    process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] ?? "";
    await answer(handler, JSON.parse(body), context);
  }
}

await main();
