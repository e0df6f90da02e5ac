import { readFile } from "node:fs/promises";
import type { Base } from "../../base/base.ts";
import type { Names } from "../../lambda/handler/app-files.ts";
import { placeBootstrap } from "../../lambda/handler/bootstrap.ts";
import { withFile } from "../../lambda/handler/file-on-disk.ts";
import { findHandler } from "../../lambda/handler/handler.ts";
import { zipNames } from "../../lambda/handler/zip-names.ts";
import { findSecrets, secretError } from "../../lambda/secrets.ts";
import type { Collection } from "../../layer/collect.ts";
import { numberOf } from "../../layer/file-table.ts";
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
  const { cmd, bootstrap } = await findHandler({
    files: namesIn(files),
    read: reader(files),
    namesInJar: jarReader(files),
    baseConfig: base.image.settings,
    base: base.facts,
    handler: options.handler,
    entrypoint: options.entrypoint,
  });
  return { cmd, files: bootstrap ? placeBootstrap(files) : files };
}

/** @throws SECRET_FOUND naming what should not be in an image. */
export async function refuseSecrets({ allowSecrets }: BuildOptions, files: Collection): Promise<void> {
  const findings = await findSecrets(files, reader(files), allowSecrets);
  if (findings.length > 0) throw secretError(findings);
}

/** Of a million files as strings they would take 85 MB: each is made when it is asked for. */
function namesIn({ files }: Collection): Names {
  return {
    has(path) {
      const found = files.at(numberOf(files, path) ?? files.length);
      return found !== undefined && found.entry.kind !== "directory";
    },
    *[Symbol.iterator]() {
      for (const { path, entry } of files) if (entry.kind !== "directory") yield path;
    },
  };
}

function jarReader(files: Collection): (path: string) => Promise<readonly string[] | undefined> {
  const sourceOf = sources(files);
  return async (path) => withFile(sourceOf(path) ?? "", zipNames);
}

function reader(files: Collection): (path: string) => Promise<string> {
  const sourceOf = sources(files);
  return (path) => readFile(sourceOf(path) ?? path, "utf8");
}

/** Where a regular file is on disk. Most builds ask for a few of their thousands. */
function sources({ files }: Collection): (path: string) => string | undefined {
  return (path) => {
    const entry = files.at(numberOf(files, path) ?? files.length)?.entry;
    return entry?.kind === "file" ? entry.source : undefined;
  };
}
