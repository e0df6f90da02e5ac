import { realpathSync } from "node:fs";
import type { BaseFacts, Language } from "../lambda/bases.ts";
import { collectedApp } from "../lambda/handler/collected-app.ts";
import { findHandler } from "../lambda/handler/handler.ts";
import { collect } from "../layer/collect.ts";

export interface AppOptions {
  readonly directory: string;
  /** Default: found from the usual names, as a build finds it. */
  readonly handler?: string | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly ignoreFile?: string | undefined;
  /** Where the user names a base that says the language. */
  readonly base?: BaseFacts | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A directory with a function in it. */
export interface App {
  /** Absolute, without links: a runtime's stack traces have the same. */
  readonly directory: string;
  readonly handler: string;
  readonly language: Language | undefined;
}

/** AWS's bases start so; which language it is, the files tell. */
const ANY_AWS_BASE = { config: { Entrypoint: ["/lambda-entrypoint.sh"] } };

/**
 * Finds the function in a directory as a build would: what the ignore file leaves out is not there.
 * @throws HANDLER_NOT_FOUND, and what collecting files throws
 */
export async function readApp(options: AppOptions): Promise<App> {
  const { directory, exclude, ignoreFile, handler, base, signal } = options;
  const files = await collect({ directory, exclude, ignoreFile, target: "/var/task", signal });
  const { names, read, namesInJar } = collectedApp(files);
  const found = await findHandler({
    ...{ files: names, read, namesInJar, handler, base },
    baseConfig: { architecture: "", os: "linux", rootfs: { type: "layers", diff_ids: [] }, ...ANY_AWS_BASE },
  });
  return {
    directory: realpathSync(directory),
    handler: found.cmd?.[0] ?? handler ?? "",
    language: found.language ?? base?.repository,
  };
}
