import { posix } from "node:path";
import { collectedApp } from "../../lambda/handler/collected-app.ts";
import type { Collection, SourceFile } from "../../layer/collect.ts";
import { developmentPackages, isInPackage, NPM_RECORDS } from "../../lint/dependencies/node.ts";
import type { Session } from "../../session/session.ts";

/**
 * Leaves out the packages that npm marks as needed for development only, and the links to their
 * programs.
 */
export async function omitDevelopment(
  collection: Collection,
  { emit }: Pick<Session, "emit">,
): Promise<Collection> {
  const app = collectedApp(collection);
  const records = app.names.has(NPM_RECORDS) ? await app.read(NPM_RECORDS) : undefined;
  if (records === undefined) {
    emit({
      type: "warning",
      message: `--omit-dev has no effect: ${NPM_RECORDS}, which npm writes, is not there`,
      hint: "install without development packages: npm ci --omit=dev, pnpm install --prod, yarn install --production",
    });
    return collection;
  }
  const packages = developmentPackages(records);
  const files = collection.files.filter((file) => !isInPackage(placeOf(file), packages));
  const left = files.filter(({ entry }) => entry.kind !== "directory");
  const bytes = files.reduce((sum, { entry }) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  return { ...collection, files, count: left.length, bytes };
}

/** Returns the path that decides: for a link, its target. */
function placeOf({ path, entry }: SourceFile): string {
  return entry.kind === "symlink" ? posix.join(posix.dirname(path), entry.target) : path;
}
