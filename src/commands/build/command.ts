import type { Base } from "../../base/base.ts";
import type { AppFiles } from "../../lambda/handler/app-files.ts";
import { collectedApp } from "../../lambda/handler/collected-app.ts";
import { placeBootstrap } from "../../lambda/handler/executable.ts";
import { findHandler } from "../../lambda/handler/handler.ts";
import { findSecrets, secretError } from "../../lambda/secrets/find.ts";
import type { Collection } from "../../layer/collect.ts";
import { collectionsOf, mapParts, type Parts, partsOfApp } from "./composition/parts.ts";

/** How the image starts, according to the options. */
export interface CommandPlan {
  readonly cmd: readonly string[] | undefined;
  readonly handler: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  /** Whether the user named the target directory. */
  readonly hasOwnTarget: boolean;
  /** Whether the command has `--cmd` and `--entrypoint`, so that hints may name them. */
  readonly hasImageOptions: boolean;
}

/** The command of the image, with the files that it needs. */
export interface ResolvedCommand {
  /** undefined: the base's. */
  readonly cmd: readonly string[] | undefined;
  readonly files: Collection;
  readonly parts: Parts;
}

interface CommandFiles {
  readonly files: Collection;
  readonly parts: Parts;
  /** The absolute path of the application in the image. */
  readonly taskRoot: string;
}

/**
 * Finds the handler, and moves a bootstrap to the path from which the base starts it.
 * @throws HANDLER_NOT_FOUND
 */
export async function resolveCommand(
  { cmd: given, handler, entrypoint, hasOwnTarget, hasImageOptions }: CommandPlan,
  base: Base,
  { files, parts, taskRoot }: CommandFiles,
): Promise<ResolvedCommand> {
  if (given) return { cmd: given, files, parts };
  // For a target named by the user, only the user knows how the handler is found.
  if (hasOwnTarget && handler !== undefined) return { cmd: [handler], files, parts };
  const app = { ...files, files: [...partsOfApp(parts, taskRoot), ...files.files] };
  const { cmd, bootstrap } = await findHandler({
    app: collectedApp(app),
    baseConfig: base.image.settings,
    base: base.facts,
    ...{ handler, entrypoint, hasImageOptions },
  });
  if (!bootstrap) return { cmd, files, parts };
  return { cmd, files: placeBootstrap(files), parts: mapParts(parts, placeBootstrap) };
}

/**
 * Returns the paths among `allowed` that are not packed or hold no secret.
 * @throws SECRET_FOUND that names the files which should not be in an image
 */
export async function rejectSecrets(
  { files, parts }: Pick<CommandFiles, "files" | "parts">,
  allowed: readonly string[],
): Promise<readonly string[]> {
  let unneeded = allowed;
  for (const collection of [...collectionsOf(parts), files]) {
    const secrets = await rejectSecretsIn(collection, allowed);
    unneeded = unneeded.filter((path) => !secrets.has(path));
  }
  return unneeded;
}

async function rejectSecretsIn(files: Collection, allowed: readonly string[]): Promise<ReadonlySet<string>> {
  let app: AppFiles | undefined; // created late: few names require reading the file
  const read: AppFiles["read"] = (path) => {
    app ??= collectedApp(files);
    return app.read(path);
  };
  const found = await findSecrets(files, read);
  const rejected = found.filter(({ path }) => !allowed.includes(path));
  if (rejected.length > 0) throw secretError(rejected);
  return new Set(found.map(({ path }) => path));
}
