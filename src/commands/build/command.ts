import type { Base } from "../../base/base.ts";
import { placeBootstrap } from "../../lambda/handler/bootstrap.ts";
import { collectedApp } from "../../lambda/handler/collected-app.ts";
import { findHandler } from "../../lambda/handler/handler.ts";
import { findSecrets, secretError } from "../../lambda/secrets.ts";
import type { Collection } from "../../layer/collect.ts";
import type { BuildOptions } from "../../session/options.ts";

/** What the image starts with, and the app's files where that looks for them. */
export interface Started {
  /** undefined: the base's. */
  readonly cmd: readonly string[] | undefined;
  readonly files: Collection;
}

/** @throws HANDLER_NOT_FOUND listing what was looked for. */
export async function findCommand(options: BuildOptions, base: Base, files: Collection): Promise<Started> {
  if (options.cmd) return { cmd: options.cmd, files };
  // Elsewhere than in the task root the handler's file is found by rules of the user's own.
  if (options.target !== undefined && options.handler !== undefined) return { cmd: [options.handler], files };
  const { names, read, namesInJar } = collectedApp(files);
  const { cmd, bootstrap } = await findHandler({
    ...{ files: names, read, namesInJar },
    baseConfig: base.image.settings,
    base: base.facts,
    handler: options.handler,
    entrypoint: options.entrypoint,
  });
  return { cmd, files: bootstrap ? placeBootstrap(files) : files };
}

/** @throws SECRET_FOUND naming what should not be in an image. */
export async function refuseSecrets({ allowSecrets }: BuildOptions, files: Collection): Promise<void> {
  const findings = await findSecrets(files, collectedApp(files).read, allowSecrets);
  if (findings.length > 0) throw secretError(findings);
}
