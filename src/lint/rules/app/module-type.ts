import { posix } from "node:path";
import { parseModule } from "../../../lambda/handler/app-files.ts";
import { type NodeModule, nodeNames } from "../../../lambda/handler/node/names.ts";
import { nodePlaces } from "../../../lambda/handler/node/node.ts";
import { type ImageFacts, PATH_MAX, taskRoot } from "../../facts.ts";
import type { Problem, Problems, Rule } from "../../rule.ts";
import { languageIn, runtimeVersion } from "../../runtime.ts";
import { handlerOf } from "./handler.ts";

/** Its extension and `type` in package.json decide (nodejs.org/api/packages.html). */
export const moduleType: Rule = {
  id: "module-type",
  severity: "error",
  expects: "the handler is written in the module system that its ending and package.json say",
  otherwise:
    "exports is not defined in ES module scope; Runtime.UserCodeSyntaxError: Unexpected token 'export'",
  check(facts) {
    const handler = handlerModule(facts);
    if (!handler) return [];
    const { path, module } = handler;
    const type = typeOf(path, facts);
    if (type === "module" && module.isCommonJs && !module.isEsm) return [commonJsAsEsm(path)];
    if (type === "module" && requires(facts.files.contents.texts.get(path) ?? ""))
      return [requireInEsm(path)];
    if (type !== "module" && module.isEsm && !module.isCommonJs) return esmAsCommonJs(path, type, facts);
    return [];
  },
};

/** AWS's Node 24 runtime refuses handlers that take a callback. */
export const callbackHandler: Rule = {
  id: "callback-handler",
  severity: "error",
  expects: "from Node 24 on, the handler returns a promise and takes no callback",
  otherwise: "Runtime.CallbackHandlerDeprecated",
  check(facts) {
    const handler = handlerModule(facts);
    const version = runtimeVersion(facts, "nodejs");
    if (!handler || version === undefined || Number(version) < 24) return [];
    const count = handler.module.parameters.get(handler.name) ?? 0;
    if (count < 3) return [];
    return {
      message: `the handler takes ${count} parameters, so a callback, which Node ${version} on Lambda no longer calls`,
      path: `/${handler.path}`,
      hint: "write an async function of two parameters that returns its result, or use --base nodejs:22",
    };
  },
};

interface HandlerModule {
  readonly path: string;
  /** The exported name. */
  readonly name: string;
  readonly module: NodeModule;
}

/** Returns the file of a Node handler. */
export function handlerFile(facts: ImageFacts): string | undefined {
  const word = handlerOf(facts);
  if (word === undefined || word.length > PATH_MAX || languageIn(facts) !== "nodejs") return undefined;
  const found = nodePlaces(word).map((place) => facts.files.view.resolve(`/${taskRoot(facts)}/${place}`));
  return found.find((entry) => entry && entry.kind !== "directory")?.path;
}

/** Returns the module of a Node handler, if its text was read. */
export function handlerModule(facts: ImageFacts): HandlerModule | undefined {
  const path = handlerFile(facts);
  if (path === undefined) return undefined;
  const module = parseModule(facts.files.contents.texts.get(path), nodeNames);
  if (!module) return undefined;
  const word = handlerOf(facts) ?? "";
  const [name = ""] = word.slice(word.indexOf(".", word.lastIndexOf("/") + 1) + 1).split(".", 1);
  return { path, name, module };
}

/** `none`: neither the file extension nor package.json decides it. */
function typeOf(path: string, facts: ImageFacts): "module" | "commonjs" | "none" {
  if (path.endsWith(".mjs")) return "module";
  if (path.endsWith(".cjs")) return "commonjs";
  for (let directory = posix.dirname(path); directory !== "."; directory = posix.dirname(directory)) {
    if (!facts.files.view.get(`${directory}/package.json`)) continue;
    const text = facts.files.contents.texts.get(`${directory}/package.json`) ?? "";
    const type = /"type"\s*:\s*"(module|commonjs)"/.exec(text)?.[1];
    return type === "module" || type === "commonjs" ? type : "none";
  }
  return "none";
}

/** Returns whether a source calls `require` when loaded, without a definition as in bundles. */
function requires(source: string): boolean {
  const isCalled = /^(?:const|let|var)\s[^=\n]*=\s*require\(/m.test(source);
  return isCalled && !/createRequire|\brequire\s*(?:\?\?|\|\|)?=|function require\b/.test(source);
}

function requireInEsm(path: string): Problem {
  return {
    message: "it is an ES module and calls require, which ES modules do not have",
    path: `/${path}`,
    hint: "write import ... from, or rename it to end in .cjs",
    severity: "warning",
  };
}

function commonJsAsEsm(path: string): Problem {
  const cause = path.endsWith(".mjs") ? "its ending .mjs" : '"type": "module" in package.json';
  return {
    message: `${cause} makes it an ES module, but it assigns to exports`,
    path: `/${path}`,
    hint: "write export const handler = ..., or rename it to end in .cjs",
  };
}

/** Newer Nodes detect ES modules by their syntax; Lambda disables that before Node 24. */
function esmAsCommonJs(path: string, type: "commonjs" | "none", facts: ImageFacts): Problems {
  const version = Number(runtimeVersion(facts, "nodejs") ?? "24");
  if (type === "none" && version >= 24) return [];
  const cause = path.endsWith(".cjs") ? "its ending .cjs makes" : "package.json makes";
  return {
    message:
      type === "commonjs"
        ? `${cause} it CommonJS, but it has import or export statements`
        : 'it has import or export statements, but neither its ending nor "type" in package.json says that it is an ES module',
    path: `/${path}`,
    hint: 'set "type": "module" in package.json, or rename it to end in .mjs',
    severity: type === "commonjs" ? "error" : "warning",
  };
}
