import {
  type AppFiles,
  definedIn,
  type HandlerRules,
  mayDefine,
  sourceFiles,
  type Verdict,
} from "./app-files.ts";
import { pythonNames } from "./python-names.ts";

/** `pkg/mod.handler` and `pkg.mod.handler` mean the same (aws-lambda-python-runtime-interface-client, bootstrap.py). */
export const python: HandlerRules = {
  usual: ["app.handler", "lambda_function.lambda_handler"],
  places,
  check,
  suggest,
};

/** The name after the last dot is the function's; the rest is the module's. */
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
  if (file === undefined) return { ok: false, problem: `needs a file ${path}.py` };
  const defined = definedIn(await app.read(file), pythonNames);
  if (mayDefine(defined, name)) return { ok: true };
  const module = handler.slice(0, handler.lastIndexOf("."));
  const near = [...defined.names].map((other) => `${module}.${other}`);
  return { ok: false, problem: `needs ${file} to define ${name}`, near };
}

async function suggest(app: AppFiles): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of sourceFiles(app, /\.py$/)) {
    const { names } = definedIn(await app.read(file), pythonNames);
    const module = file.replace(/(?:\/__init__)?\.py$/, "");
    found.push(...[...names].filter((name) => /handler/i.test(name)).map((name) => `${module}.${name}`));
  }
  return found;
}
