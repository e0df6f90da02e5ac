import {
  type AppFiles,
  type Candidate,
  candidatesInSources,
  type HandlerRules,
  judgeName,
  missingFile,
  POSSIBLE,
  parseModule,
  type Verdict,
} from "../app-files.ts";
import { pythonNames, type Signature } from "./names.ts";

/** `pkg/mod.handler` and `pkg.mod.handler` mean the same (awslambdaric, bootstrap.py). */
export const python: HandlerRules = {
  usual: ["app.handler", "lambda_function.lambda_handler"],
  places,
  check,
  candidates,
};

/** Splits at the last dot: the name after it is the function's, the rest is the module's. */
function split(handler: string): { readonly path: string; readonly name: string } {
  const dot = handler.lastIndexOf(".");
  return { path: handler.slice(0, Math.max(dot, 0)).replaceAll(".", "/"), name: handler.slice(dot + 1) };
}

function places(handler: string): readonly string[] {
  const { path } = split(handler);
  return [`${path}/__init__.py`, `${path}.py`];
}

async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const { path, name } = split(handler);
  if (path === "" || name === "" || path.startsWith("/"))
    return { ok: false, problem: "is not of the form module.function" };
  const file = places(handler).find((place) => app.names.has(place));
  const module = handler.slice(0, handler.lastIndexOf("."));
  if (file !== undefined) return judgeName({ file, module, name, verb: "define" }, app, pythonNames);
  return isCompiled(path, app) ? POSSIBLE : missingFile(`needs a file ${path}.py`, places(handler), app);
}

/**
 * Returns the parameters of a handler that is a `def` in its file. `isCertain` is false if the file
 * may also bind the name in another way.
 */
export async function pythonSignature(handler: string, app: AppFiles): Promise<Signature | undefined> {
  const file = places(handler).find((place) => app.names.has(place));
  const module = file === undefined ? undefined : parseModule(await app.read(file), pythonNames);
  const signature = module?.signatures.get(split(handler).name);
  return signature && { ...signature, isCertain: signature.isCertain && module?.open === false };
}

/** Finds `mod.cpython-312-x86_64-linux-gnu.so`, `mod.abi3.so` and `mod.pyc`. */
function isCompiled(path: string, { names }: AppFiles): boolean {
  return [...names].some(
    (name) => name.startsWith(`${path}.`) && /^\.(?:[^/]+\.)?(?:so|pyc)$/.test(name.slice(path.length)),
  );
}

/**
 * Modules below `src` usually import one another without `src`, which works only if `src` itself is
 * the source directory: their handlers are not likely.
 */
async function candidates(app: AppFiles): Promise<readonly Candidate[]> {
  const found = await candidatesInSources(app, /(?:\/__init__)?\.py$/, pythonNames);
  return found.map((one) => (one.handler.startsWith("src/") ? { ...one, isLikely: false } : one));
}
