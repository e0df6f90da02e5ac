import { basename } from "node:path";
import type { OnEvent } from "../../events.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import { type App, readApp } from "../../runtime/app.ts";
import type { LocalFunction } from "../../runtime/execution.ts";
import { type HostOptions, hostLauncher, moduleTypeAbove } from "../../runtime/host/launcher.ts";
import type { LocalPlan } from "./options.ts";

/** A function that is ready to run, without the destination of its log. */
export type Runnable = Omit<LocalFunction, "onLog">;

/** The ports that debuggers listen on. */
export type DebugPorts = Pick<HostOptions, "inspect" | "debugpy">;

export interface DirectoryRunnable extends Runnable {
  /** Returns absolute paths of the directories with its files, except those in node_modules. */
  readonly directories: () => ReadonlySet<string>;
  /** Removes the files that were created for it; called when all of its processes have ended. */
  readonly remove?: (() => void) | undefined;
}

/**
 * Prepares the function of a directory: finds its handler as a build does, and its language's
 * program on this machine. Does not run any code of the app.
 * @throws HANDLER_NOT_FOUND, RUNTIME_MISSING, and what collecting files throws
 */
export async function directoryFunction(
  directory: string,
  plan: LocalPlan,
  debug: DebugPorts = {},
): Promise<DirectoryRunnable> {
  const { environment, onEvent, signal } = plan.session;
  const { handler, exclude, ignoreFile, timeoutMs, memoryMb, region, variables } = plan;
  const base = plan.base === undefined ? undefined : resolveBase(plan.base, environment).base;
  const app = await readApp({ directory, handler, exclude, ignoreFile, base, signal });
  if (app.language === "nodejs") warnOfModuleType(app, onEvent);
  const launcher = await hostLauncher(app, { environment, ...debug });
  const name = plan.functionName ?? functionNameOf(app.directory);
  return {
    facts: { name, handler: app.handler, memoryMb, region, variables, ...launcher.facts },
    launcher,
    timeoutMs,
    directories: app.directories,
    suspendDeadlines: debug.inspect !== undefined || debug.debugpy !== undefined,
  };
}

function warnOfModuleType({ directory }: App, onEvent: OnEvent): void {
  const file = moduleTypeAbove(directory);
  if (file === undefined) return;
  onEvent({
    type: "warning",
    message: `${file} makes ES modules of the function's .js files here; in Lambda nothing is above the function, and they are CommonJS`,
    hint: `put a package.json into ${directory}, or name the files .mjs`,
  });
}

/** Returns the last part of a path, with only the characters that a function name can have. */
export function functionNameOf(path: string): string {
  return (
    basename(path)
      .replace(/[^a-zA-Z0-9-_]+/g, "-")
      .slice(0, 64) || "function"
  );
}
