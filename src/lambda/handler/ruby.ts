import {
  type AppFiles,
  candidatesInSources,
  type HandlerRules,
  judgeName,
  type ModuleNames,
  missingFile,
  type Verdict,
} from "./app-files.ts";

/** `file.method` or `file.Module::Class.method` (aws_lambda_ric, lambda_handler.rb). */
const FORM = /^([^.]+)\.(?:([A-Z]\w*(?:::[A-Z]\w*)*)\.)?([a-zA-Z_]\w*[?!]?)$/;
const METHOD = /^[ \t]*def[ \t]+(?:self\.)?(\w+[?!]?)/gm;
/** Without indentation: for a method in a class, the handler has to name the class. */
const TOP_LEVEL_METHOD = /^def[ \t]+(\w+[?!]?)/gm;

export const ruby: HandlerRules = {
  usual: ["lambda_function.lambda_handler", "app.handler"],
  places,
  check,
  candidates: (app) => candidatesInSources(app, /\.rb$/, (source) => namesIn(source, TOP_LEVEL_METHOD)),
};

function places(handler: string): readonly string[] {
  const [, path] = FORM.exec(handler) ?? [];
  return path === undefined ? [] : [`${path}.rb`];
}

/** Ruby can define methods without `def`: its lack is a problem for the usual handlers only. */
async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const [file] = places(handler);
  if (file === undefined)
    return { ok: false, problem: "is not of the form file.method or file.Class.method" };
  if (!app.names.has(file)) return missingFile(`needs a file ${file}`, [file], app);
  const dot = handler.lastIndexOf(".");
  const method = {
    file,
    module: handler.slice(0, dot),
    name: handler.slice(dot + 1),
    verb: "define",
  } as const;
  const open = !ruby.usual.includes(handler);
  return judgeName(method, app, (source) => ({ ...namesIn(source, METHOD), open }));
}

function namesIn(source: string, pattern: RegExp): ModuleNames {
  const names = new Set([...source.matchAll(pattern)].map(([, name = ""]) => name));
  return { names, functions: names, open: false };
}
