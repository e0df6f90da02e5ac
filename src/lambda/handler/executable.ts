import { type AppFiles, type HandlerRules, nameWhere, PROVEN, type Verdict } from "./app-files.ts";

/** OS-only bases: the app's `bootstrap` is the runtime, and CMD is any one word, which it gets as `_HANDLER`. */
export const provided: HandlerRules = {
  usual: ["bootstrap"],
  places: () => ["bootstrap"],
  check: (_handler, app) => Promise.resolve(inRoot("bootstrap", app)),
  candidates: () => Promise.resolve([]),
  fix: "put the runtime's executable there under that name, or start another with --entrypoint",
};

/** go1.x: the handler is the name of the executable. */
export const go: HandlerRules = {
  usual: ["main"],
  places: (handler) => [handler],
  check: (handler, app) => Promise.resolve(inRoot(handler, app)),
  candidates: () => Promise.resolve([]),
};

function inRoot(file: string, { names }: AppFiles): Verdict {
  if (names.has(file)) return PROVEN;
  const problem = `needs an executable ${file} in the root of the app`;
  const elsewhere = nameWhere(names, (name) => name.endsWith(`/${file}`));
  if (elsewhere === undefined) return { ok: false, problem };
  return {
    ok: false,
    problem: `${problem}; it is at ${elsewhere}`,
    hint: `build the directory ${elsewhere.slice(0, -file.length - 1)} instead`,
  };
}
