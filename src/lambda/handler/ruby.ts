import { type AppFiles, type HandlerRules, sourceFiles, type Verdict } from "./app-files.ts";

/** `file.method` or `file.Module::Class.method` (aws-lambda-ruby-runtime-interface-client, lambda_handler.rb). */
const FORM = /^([^.]+)\.(?:([A-Z]\w*(?:::[A-Z]\w*)*)\.)?([a-zA-Z_]\w*[?!]?)$/;

export const ruby: HandlerRules = {
  usual: ["lambda_function.lambda_handler", "app.handler"],
  places,
  check,
  suggest,
};

function places(handler: string): readonly string[] {
  const [, path] = FORM.exec(handler) ?? [];
  return path === undefined ? [] : [`${path}.rb`];
}

/** Ruby makes methods in more ways than can be read: only `def` of the usual names proves one, and only a missing file disproves it. */
async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const [file] = places(handler);
  if (file === undefined)
    return { ok: false, problem: "is not of the form file.method or file.Class.method" };
  if (!app.names.has(file)) return { ok: false, problem: `needs a file ${file}` };
  if (!ruby.usual.includes(handler) || methodsOf(await app.read(file)).includes(methodOf(handler)))
    return { ok: true };
  return { ok: false, problem: `needs ${file} to define ${methodOf(handler)}` };
}

function methodOf(handler: string): string {
  return handler.slice(handler.lastIndexOf(".") + 1);
}

function methodsOf(source: string): readonly string[] {
  return [...source.matchAll(/^[ \t]*def\s+(?:self\.)?(\w+[?!]?)/gm)].map(([, name = ""]) => name);
}

async function suggest(app: AppFiles): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of sourceFiles(app, /\.rb$/)) {
    const methods = methodsOf(await app.read(file)).filter((name) => /handler/i.test(name));
    found.push(...methods.map((name) => `${file.replace(/\.rb$/, "")}.${name}`));
  }
  return found;
}
