// A small Lambda runtime: loads the handler named by _HANDLER and answers events of the Runtime API.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_FUNCTION_NAME, LAMBDA_TASK_ROOT = "/var/task", _HANDLER = "" } = process.env;
const api = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;

// The order in which AWS's own runtime looks.
const EXTENSIONS = ["", ".js", ".mjs", ".cjs"];

async function load(handler) {
  const [, path, name] = /^(.*)\.([^./]+)$/.exec(handler) ?? [];
  const file = EXTENSIONS.map((extension) => join(LAMBDA_TASK_ROOT, path + extension)).find((found) => existsSync(found));
  if (file === undefined) throw new Error(`Cannot find module '${path}'`);
  const module = await import(pathToFileURL(file).href);
  const found = module[name] ?? module.default?.[name];
  if (typeof found !== "function") throw new Error(`${handler} is undefined or not exported`);
  return found;
}

function post(path, value, errorType) {
  const headers = errorType ? { "lambda-runtime-function-error-type": errorType } : {};
  return fetch(api + path, { method: "POST", headers, body: JSON.stringify(value) ?? "null" });
}

function describe({ name, message, stack = "" }) {
  return { errorType: name, errorMessage: message, trace: stack.split("\n") };
}

async function answer(handler) {
  const next = await fetch(`${api}/invocation/next`);
  const awsRequestId = next.headers.get("lambda-runtime-aws-request-id");
  const context = {
    awsRequestId,
    functionName: AWS_LAMBDA_FUNCTION_NAME,
    invokedFunctionArn: next.headers.get("lambda-runtime-invoked-function-arn"),
  };
  try {
    const result = await handler(await next.json(), context);
    await post(`/invocation/${awsRequestId}/response`, result);
  } catch (error) {
    await post(`/invocation/${awsRequestId}/error`, describe(error), `Runtime.${error.name}`);
  }
}

try {
  const handler = await load(_HANDLER);
  for (;;) await answer(handler);
} catch (error) {
  console.error(error);
  await post("/init/error", describe(error), "Runtime.ImportModuleError");
  process.exit(1);
}
