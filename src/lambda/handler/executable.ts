import { type AppFiles, type HandlerRules, nameWhere, type Verdict } from "./app-files.ts";

/** OS-only bases: the app's `bootstrap` is the runtime, and CMD is any one word that it gets as `_HANDLER`. */
export const provided: HandlerRules = {
  usual: ["bootstrap"],
  places: () => ["bootstrap"],
  check: (_handler, app) => Promise.resolve(inRoot("bootstrap", app)),
  suggest: () => Promise.resolve([]),
  cure: "put the runtime's executable there under that name, or start another with --entrypoint",
};

/** go1.x: the handler is the name of the executable. */
export const go: HandlerRules = {
  usual: ["main"],
  places: (handler) => [handler],
  check: (handler, app) => Promise.resolve(inRoot(handler, app)),
  suggest: () => Promise.resolve([]),
};

function inRoot(file: string, { names }: AppFiles): Verdict {
  if (names.has(file)) return { ok: true };
  // `target/lambda/app/bootstrap` of cargo lambda: its directory is the one to build from.
  const elsewhere = nameWhere(names, (name) => name.endsWith(`/${file}`));
  const where = elsewhere === undefined ? "" : `, where ${elsewhere} is not`;
  return { ok: false, problem: `needs an executable ${file} in the root of the app${where}` };
}
