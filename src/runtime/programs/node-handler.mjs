import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Creates an error that Lambda reports by this name. */
function failed(name, message, cause) {
  const error = new Error(message, cause && { cause });
  error.name = name;
  if (cause?.stack) error.stack = cause.stack;
  return error;
}

/**
 * Finds the function `handler` as Lambda does: `directory/module.export`; an export may be nested.
 * @throws Runtime.MalformedHandlerName, Runtime.ImportModuleError, Runtime.UserCodeSyntaxError, Runtime.HandlerNotFound,
 *   Runtime.CallbackHandlerDeprecated, or what the module throws
 */
export async function loadHandler(taskRoot, handler, { takesCallbacks }) {
  const last = basename(handler);
  const [, moduleName, exported] = /^([^.]*)\.(.*)$/.exec(last) ?? [];
  if (moduleName === undefined || handler.includes(".."))
    throw failed("Runtime.MalformedHandlerName", "Bad handler");
  const directory = handler.slice(0, handler.length - last.length);
  const module = await load(taskRoot, join(directory, moduleName));
  const found = member(module, exported) ?? member(module?.default, exported);
  if (!found) throw failed("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof found !== "function") throw failed("Runtime.HandlerNotFound", `${handler} is not a function`);
  if (!takesCallbacks && found.length >= 3 && !found[Symbol.for("aws.lambda.runtime.handler.streaming")])
    throw failed(
      "Runtime.CallbackHandlerDeprecated",
      "From Node.js 24 on Lambda does not support handlers that take a callback: make the handler async",
    );
  return found;
}

function member(module, path) {
  return path.split(".").reduce((value, key) => value?.[key], module);
}

async function load(taskRoot, module) {
  try {
    for (const extension of ["", ".js", ".mjs", ".cjs"]) {
      const file = resolve(taskRoot, `${module}${extension}`);
      if (existsSync(file)) return await importFile(file, taskRoot);
    }
    const require = createRequire(resolve(taskRoot, "lambda-pack.cjs"));
    return require(require.resolve(module, { paths: [taskRoot] }));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw failed("Runtime.UserCodeSyntaxError", `SyntaxError: ${error.message}`, error);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND")
      throw failed("Runtime.ImportModuleError", `Error: ${error.message}`, error);
    throw error;
  }
}

/** Imports a file; one without an extension, and a directory, are CommonJS modules. */
async function importFile(file, taskRoot) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    if (error?.code !== "ERR_UNSUPPORTED_DIR_IMPORT" && error?.code !== "ERR_UNKNOWN_FILE_EXTENSION")
      throw error;
    return createRequire(resolve(taskRoot, "lambda-pack.cjs"))(file);
  }
}
