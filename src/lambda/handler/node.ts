import {
  type AppFiles,
  definedIn,
  type HandlerRules,
  mayDefine,
  nameWhere,
  sourceFiles,
  type Verdict,
} from "./app-files.ts";
import { nodeNames } from "./node-names.ts";

/** In the order in which aws-lambda-nodejs-runtime-interface-client 4 looks for them (UserFunction.js). */
const EXTENSIONS = ["", ".js", ".mjs", ".cjs"];

export const node: HandlerRules = {
  usual: ["index.handler", "app.handler"],
  places,
  check,
  suggest,
};

/** In `src/app.nested.handler` the module is src/app: the file's name ends at its first dot (UserFunction.js, FUNCTION_EXPR). */
function split(handler: string): { readonly path: string; readonly name: string } {
  const slash = handler.lastIndexOf("/") + 1;
  const dot = handler.indexOf(".", slash);
  if (dot < 0) return { path: handler, name: "" };
  return { path: handler.slice(0, dot), name: handler.slice(dot + 1) };
}

function places(handler: string): readonly string[] {
  const path = split(handler).path.replace(/^\.\//, "");
  return EXTENSIONS.map((extension) => path + extension);
}

async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const { path, name } = split(handler);
  if (path === "" || name === "" || handler.includes(".."))
    return { ok: false, problem: "is not of the form module.function" };
  const file = places(handler).find((place) => app.names.has(place));
  if (file === undefined) return missing(path, app);
  const defined = definedIn(await app.read(file), nodeNames);
  const [exported = ""] = name.split(".");
  if (mayDefine(defined, exported)) return { ok: true };
  const near = [...defined.names].map((other) => `${path}.${other}`);
  return { ok: false, problem: `needs ${file} to export ${exported}`, near };
}

function missing(path: string, { names }: AppFiles): Verdict {
  const installed = nameWhere(names, (name) => name.startsWith(`node_modules/${path}/`));
  if (installed !== undefined) return { ok: true };
  const typescript = [".ts", ".mts", ".cts"]
    .map((extension) => path + extension)
    .find((name) => names.has(name));
  const why = typescript === undefined ? "" : ` (${typescript} has to be compiled first)`;
  return { ok: false, problem: `needs a file ${path}.js, .mjs or .cjs${why}` };
}

async function suggest(app: AppFiles): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of sourceFiles(app, /\.[mc]?js$/)) {
    const { names } = definedIn(await app.read(file), nodeNames);
    const module = file.replace(/\.[mc]?js$/, "");
    found.push(...[...names].filter((name) => /handler/i.test(name)).map((name) => `${module}.${name}`));
  }
  return found;
}
