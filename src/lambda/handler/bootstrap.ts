import { LambdaPackError } from "../../errors.ts";
import type { Collection, SourceFile } from "../../layer/collect.ts";
import { numberOf } from "../../layer/file-table.ts";
import { firstNot, moved } from "../../layer/sequence.ts";
import { compareBytes, tarName } from "../../tar/entry.ts";

/** What `/lambda-entrypoint.sh` of an OS-only base starts. */
const PLACE = "var/runtime/bootstrap";

/**
 * The app's own runtime where AWS's OS-only bases start it: its root `bootstrap` goes to /var/runtime/bootstrap, executable. All else stays.
 * @throws HANDLER_NOT_FOUND where it is a link: moved, a link would point elsewhere, and Lambda starts none (rebar3_erllambda#26).
 */
export function placeBootstrap(collection: Collection): Collection {
  const { files } = collection;
  const from = numberOf(files, "bootstrap") ?? files.length;
  const found = files.at(from);
  if (!found) return collection;
  const file = placed(found);
  const to = firstNot(files, ({ entry }) => compareBytes(tarName(entry), PLACE) < 0);
  return { ...collection, files: moved(files, from, to, file) };
}

function placed({ path, entry }: SourceFile): SourceFile {
  if (entry.kind === "file") return { path, entry: { ...entry, path: PLACE, mode: 0o755 } };
  throw new LambdaPackError("HANDLER_NOT_FOUND", `bootstrap is a ${entry.kind}, not a file`, {
    hint: "put the executable itself there",
  });
}
