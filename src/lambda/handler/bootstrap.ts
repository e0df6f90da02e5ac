import { LambdaPackError } from "../../errors.ts";
import type { Collection, SourceFile } from "../../layer/collect.ts";
import { sortByName, tarName } from "../../tar/entry.ts";

/** What `/lambda-entrypoint.sh` of an OS-only base starts. */
const PLACE = "var/runtime/bootstrap";

/**
 * The app's own runtime where AWS's OS-only bases start it: its root `bootstrap` goes to /var/runtime/bootstrap, executable. All else stays.
 * @throws HANDLER_NOT_FOUND where it is a link: moved, a link would point elsewhere, and Lambda starts none (rebar3_erllambda#26).
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
