import type { Base } from "../../base/base.ts";
import type { AppFiles } from "../../lambda/handler/app-files.ts";
import { collectedApp } from "../../lambda/handler/collected-app.ts";
import { placeBootstrap } from "../../lambda/handler/executable.ts";
import { findHandler } from "../../lambda/handler/handler.ts";
import { findSecrets, secretError } from "../../lambda/secrets/find.ts";
import type { Collection } from "../../layer/collect.ts";

/** What starts in the image, as far as the options say it. */
export interface CommandPlan {
  readonly cmd: readonly string[] | undefined;
  readonly handler: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  /** Whether the files go to a directory that the user named. */
  readonly hasOwnTarget: boolean;
}

/** What the image starts with, and the files that it needs for that. */
export interface ResolvedCommand {
  /** undefined: the base's. */
  readonly cmd: readonly string[] | undefined;
  readonly files: Collection;
}

/**
 * Finds the handler, and moves a bootstrap to where its base starts it.
 * @throws HANDLER_NOT_FOUND.
 */
export async function resolveCommand(
  { cmd: given, handler, entrypoint, hasOwnTarget }: CommandPlan,
  base: Base,
  files: Collection,
): Promise<ResolvedCommand> {
  if (given) return { cmd: given, files };
  // In a directory of the user's own the handler is found by rules that only the user knows.
  if (hasOwnTarget && handler !== undefined) return { cmd: [handler], files };
  const { names, read, namesInJar } = collectedApp(files);
  const { cmd, bootstrap } = await findHandler({
    ...{ files: names, read, namesInJar },
    baseConfig: base.image.settings,
    base: base.facts,
    handler,
    entrypoint,
  });
  return { cmd, files: bootstrap ? placeBootstrap(files) : files };
}

/** @throws SECRET_FOUND naming the files that should not be in an image. */
export async function rejectSecrets(files: Collection, allowed: readonly string[]): Promise<void> {
  let app: AppFiles | undefined; // only a few names call for reading the file
  const read: AppFiles["read"] = (path) => {
    app ??= collectedApp(files);
    return app.read(path);
  };
  const findings = await findSecrets(files, read, allowed);
  if (findings.length > 0) throw secretError(findings);
}
