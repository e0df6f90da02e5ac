import { parseObject } from "../../../oci/json.ts";
import {
  type AppFiles,
  candidatesInSources,
  type HandlerRules,
  judgeName,
  missingFile,
  POSSIBLE,
  type Verdict,
} from "../app-files.ts";
import { nodeNames } from "./names.ts";

/** In the order of aws-lambda-nodejs-runtime-interface-client 4 (UserFunction.js). */
const EXTENSIONS = ["", ".js", ".mjs", ".cjs"];
/** What `require.resolve` tries after those; the names that these define are not read. */
const RESOLVED = [".node", "/index.js"];

export const node: HandlerRules = {
  usual: ["index.handler", "app.handler"],
  places: nodePlaces,
  check,
  configured,
  candidates: (app) => candidatesInSources(app, /\.[mc]?js$/, nodeNames),
};

/** Splits `src/app.nested.handler` after src/app, at the first dot (UserFunction.js). */
function split(handler: string): { readonly path: string; readonly name: string } {
  const slash = handler.lastIndexOf("/") + 1;
  const dot = handler.indexOf(".", slash);
  if (dot < 0) return { path: handler, name: "" };
  return { path: handler.slice(0, dot), name: handler.slice(dot + 1) };
}

export function nodePlaces(handler: string): readonly string[] {
  const path = split(handler).path.replace(/^\.\//, "");
  return EXTENSIONS.map((extension) => path + extension);
}

async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const { path, name } = split(handler);
  if (path === "" || name === "" || handler.includes(".."))
    return { ok: false, problem: "is not of the form module.function" };
  const file = nodePlaces(handler).find((place) => app.names.has(place));
  if (file === undefined) return missing(path, nodePlaces(handler), app);
  const [exported = ""] = name.split(".");
  return judgeName({ file, module: path, name: exported, verb: "export" }, app, nodeNames);
}

function missing(path: string, places: readonly string[], app: AppFiles): Verdict {
  const { names } = app;
  if (RESOLVED.some((end) => names.has(path + end))) return POSSIBLE;
  if ([...names].some((name) => name.startsWith(`node_modules/${path}/`))) return POSSIBLE;
  const typescript = [".ts", ".mts", ".cts"]
    .map((extension) => path + extension)
    .find((name) => names.has(name));
  const problem = `needs a file ${path}.js, .mjs or .cjs`;
  if (typescript === undefined) return missingFile(problem, places, app);
  return {
    ok: false,
    problem: `${problem} (${typescript} has to be compiled first)`,
    hint: `build it with --bundle --handler ${path}.handler (npm install --save-dev esbuild)`,
  };
}

/** Returns the handlers in `main` and `exports` of package.json, which tools use first. */
async function configured(app: AppFiles): Promise<readonly string[]> {
  if (!app.names.has("package.json")) return [];
  const json = parseObject((await app.read("package.json")) ?? "");
  return [json?.["main"], json?.["exports"]]
    .filter((entry) => typeof entry === "string")
    .map((entry) => entry.replace(/^\.\//, "").replace(/\/$/, ""))
    .filter((entry) => entry !== "" && !entry.includes(".."))
    .map((entry) => {
      const isDirectory = app.names.has(`${entry}/index.js`);
      return `${isDirectory ? `${entry}/index` : entry.replace(/\.[cm]?js$/, "")}.handler`;
    });
}
