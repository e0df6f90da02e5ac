import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { BaseFacts, Language } from "../lambda/bases.ts";
import { collectedApp } from "../lambda/handler/collected-app.ts";
import { findHandler } from "../lambda/handler/handler.ts";
import { collect } from "../layer/collect.ts";

interface AppOptions {
  readonly directory: string;
  /** Default: found by the usual names, as a build does. */
  readonly handler?: string | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly ignoreFile?: string | undefined;
  /** The base that determines the language, if the user named one. */
  readonly base?: BaseFacts | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A directory that contains a function. */
export interface App {
  /** Absolute, with links resolved, as in a runtime's stack traces. */
  readonly directory: string;
  readonly handler: string;
  readonly language: Language | undefined;
  /** Returns absolute paths of the directories with its files, except those in node_modules. */
  readonly directories: () => ReadonlySet<string>;
}

/** The entry point of every AWS base. The files determine the language. */
const ANY_AWS_BASE = { config: { Entrypoint: ["/lambda-entrypoint.sh"] } };

/**
 * Finds the function in a directory as a build would. Files that the ignore file excludes do not
 * count.
 * @throws HANDLER_NOT_FOUND, and what collecting files throws
 */
export async function readApp(options: AppOptions): Promise<App> {
  const { directory, exclude, ignoreFile, handler, base, signal } = options;
  const files = await collect({ directory, exclude, ignoreFile, target: "/var/task", signal });
  const app = collectedApp(files);
  const found = await findHandler({
    ...{ app, handler, base },
    baseConfig: { architecture: "", os: "linux", rootfs: { type: "layers", diff_ids: [] }, ...ANY_AWS_BASE },
  });
  const root = realpathSync(directory);
  return {
    directory: root,
    handler: found.cmd?.[0] ?? handler ?? "",
    language: found.language ?? base?.repository,
    directories: () => directoriesOf(root, app.names),
  };
}

function directoriesOf(root: string, names: Iterable<string>): ReadonlySet<string> {
  const found = new Set([root]);
  for (const name of names) {
    const inside = name.indexOf("node_modules/");
    const path = inside < 0 ? name : name.slice(0, inside + "node_modules/".length);
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const directory = join(root, path.slice(0, end));
      if (found.has(directory)) break;
      found.add(directory);
    }
  }
  return found;
}
