import {
  type AppFiles,
  type Candidate,
  candidatesIn,
  type HandlerRules,
  judgeName,
  nameWhere,
  POSSIBLE,
  parseSource,
  sourceFiles,
  type Verdict,
} from "../app-files.ts";
import { pythonNames } from "./names.ts";

/**
 * `pkg/mod.handler` and `pkg.mod.handler` mean the same
 * (aws-lambda-python-runtime-interface-client, bootstrap.py).
 */
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
  if (path === "" || name === "") return { ok: false, problem: "is not of the form module.function" };
  const file = places(handler).find((place) => app.names.has(place));
  if (file === undefined)
    return compiledModule(path, app) === undefined
      ? { ok: false, problem: `needs a file ${path}.py` }
      : POSSIBLE;
  const module = parseSource(await app.read(file), pythonNames);
  const verdict = judgeName(module, name);
  if (verdict) return verdict;
  const prefix = handler.slice(0, handler.lastIndexOf("."));
  const near = [...(module?.names ?? [])].map((other) => `${prefix}.${other}`);
  return { ok: false, problem: `needs ${file} to define ${name}`, near };
}

/**
 * Finds `mod.cpython-312-x86_64-linux-gnu.so`, `mod.abi3.so` or `mod.pyc`, whose names are not
 * read.
 */
function compiledModule(path: string, { names }: AppFiles): string | undefined {
  return nameWhere(
    names,
    (name) => name.startsWith(`${path}.`) && /^\.(?:[^/]+\.)?(?:so|pyc)$/.test(name.slice(path.length)),
  );
}

async function candidates(app: AppFiles): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const file of sourceFiles(app, /\.py$/)) {
    const module = parseSource(await app.read(file), pythonNames);
    const prefix = file.replace(/(?:\/__init__)?\.py$/, "");
    if (module) found.push(...candidatesIn(prefix, module).map((one) => inSourceLayout(one, file)));
  }
  return found;
}

/**
 * Modules below `src` usually import one another without `src`, which works only if `src` itself is
 * the source directory.
 */
function inSourceLayout(candidate: Candidate, file: string): Candidate {
  return file.startsWith("src/") ? { ...candidate, isLikely: false } : candidate;
}
