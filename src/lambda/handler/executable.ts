import type { AppFiles, HandlerRules, Verdict } from "./app-files.ts";

/** OS-only bases: the app's `bootstrap` is the runtime, and CMD is any one word that it gets as `_HANDLER`. */
export const provided: HandlerRules = {
  usual: ["bootstrap"],
  places: () => ["bootstrap"],
  check: (_handler, { names }) => Promise.resolve(has(names, "bootstrap")),
  suggest: (app) => Promise.resolve(bootstraps(app)),
};

/** go1.x: the handler is the name of the executable. */
export const go: HandlerRules = {
  usual: ["main"],
  places: (handler) => [handler],
  check: (handler, { names }) => Promise.resolve(has(names, handler)),
  suggest: () => Promise.resolve([]),
};

function has(names: ReadonlySet<string>, file: string): Verdict {
  return names.has(file)
    ? { ok: true }
    : { ok: false, problem: `needs an executable file ${file} in the root of the app` };
}

/** `target/lambda/app/bootstrap` of cargo lambda, `build/bootstrap`: the folder to build from instead. */
function bootstraps({ names }: AppFiles): readonly string[] {
  return [...names].filter((name) => name.endsWith("/bootstrap"));
}
