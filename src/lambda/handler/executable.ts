import { LambdaPackError } from "../../errors.ts";
import type { Collection, SourceFile } from "../../layer/collect.ts";
import { sortByName, tarName } from "../../tar/entry.ts";
import { type AppFiles, type HandlerRules, missingFile, PROVEN, type Verdict } from "./app-files.ts";

/** OS-only bases: the app's `bootstrap` is the runtime, and gets any one word as `_HANDLER`. */
export const provided: HandlerRules = {
  usual: ["bootstrap"],
  places: () => ["bootstrap"],
  check: (_handler, app) => Promise.resolve(inRoot("bootstrap", app)),
  candidates: () => Promise.resolve([]),
  fix: "put the runtime's executable there under that name",
  imageFix: ", or start another with --entrypoint",
};

/** go1.x: the handler is the name of the executable. */
export const go: HandlerRules = {
  usual: ["main"],
  places: (handler) => [handler],
  check: (handler, app) => Promise.resolve(inRoot(handler, app)),
  candidates: () => Promise.resolve([]),
};

function inRoot(file: string, app: AppFiles): Verdict {
  const { names } = app;
  if (names.has(file)) return PROVEN;
  const problem = `needs an executable ${file} in the root of the app`;
  const elsewhere = [...names].find((name) => name.endsWith(`/${file}`));
  if (elsewhere === undefined) return missingFile(problem, [file], app);
  return {
    ok: false,
    problem: `${problem}; it is at ${elsewhere}`,
    hint: `build the directory ${elsewhere.slice(0, -file.length - 1)} instead`,
  };
}

/** What `/lambda-entrypoint.sh` of an OS-only base starts. */
const PLACE = "var/runtime/bootstrap";

/**
 * Moves `bootstrap` from the app's root to /var/runtime/bootstrap, where AWS's OS-only bases start
 * it, and makes it executable. Keeps all other files.
 * @throws HANDLER_NOT_FOUND if it is a link: Lambda starts none (rebar3_erllambda#26).
 */
export function placeBootstrap(collection: Collection): Collection {
  const { files } = collection;
  const found = files.find(({ path, entry }) => path === "bootstrap" && entry.kind !== "directory");
  if (!found) return collection;
  const moved = [...files.filter((file) => file !== found), placed(found)];
  return { ...collection, files: sortByName(moved, ({ entry }) => tarName(entry)) };
}

function placed({ path, entry }: SourceFile): SourceFile {
  if (entry.kind === "file") return { path, entry: { ...entry, path: PLACE, mode: 0o755 } };
  throw new LambdaPackError("HANDLER_NOT_FOUND", `bootstrap is a ${entry.kind}, not a file`, {
    hint: "put the executable itself there",
  });
}
