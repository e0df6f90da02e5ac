import {
  type AppFiles,
  type Candidate,
  candidatesIn,
  type HandlerRules,
  POSSIBLE,
  PROVEN,
  sourceFiles,
  type Verdict,
} from "./app-files.ts";

/**
 * `file.method` or `file.Module::Class.method` (aws-lambda-ruby-runtime-interface-client,
 * lambda_handler.rb).
 */
const FORM = /^([^.]+)\.(?:([A-Z]\w*(?:::[A-Z]\w*)*)\.)?([a-zA-Z_]\w*[?!]?)$/;

export const ruby: HandlerRules = {
  usual: ["lambda_function.lambda_handler", "app.handler"],
  places,
  check,
  candidates,
};

function places(handler: string): readonly string[] {
  const [, path] = FORM.exec(handler) ?? [];
  return path === undefined ? [] : [`${path}.rb`];
}

/**
 * Ruby can define methods without `def`: a missing `def` is a problem only for the usual handlers.
 */
async function check(handler: string, app: AppFiles): Promise<Verdict> {
  const [file] = places(handler);
  if (file === undefined)
    return { ok: false, problem: "is not of the form file.method or file.Class.method" };
  if (!app.names.has(file)) return { ok: false, problem: `needs a file ${file}` };
  const source = await app.read(file);
  if (source === undefined) return POSSIBLE;
  if (methodsOf(source).includes(methodOf(handler))) return PROVEN;
  if (!ruby.usual.includes(handler)) return POSSIBLE;
  return { ok: false, problem: `needs ${file} to define ${methodOf(handler)}` };
}

function methodOf(handler: string): string {
  return handler.slice(handler.lastIndexOf(".") + 1);
}

function methodsOf(source: string): readonly string[] {
  return [...source.matchAll(/^[ \t]*def[ \t]+(?:self\.)?(\w+[?!]?)/gm)].map(([, name = ""]) => name);
}

/** Returns methods without indentation: for one in a class, the handler has to name the class. */
function topLevelMethods(source: string): readonly string[] {
  return [...source.matchAll(/^def[ \t]+(\w+[?!]?)/gm)].map(([, name = ""]) => name);
}

async function candidates(app: AppFiles): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const file of sourceFiles(app, /\.rb$/)) {
    const methods = new Set(topLevelMethods((await app.read(file)) ?? ""));
    found.push(
      ...candidatesIn(file.replace(/\.rb$/, ""), { names: methods, functions: methods, open: false }),
    );
  }
  return found;
}
