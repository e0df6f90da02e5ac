import { join } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import type { Language } from "../../lambda/bases.ts";
import type { App } from "../app.ts";
import type { Launcher } from "../launcher.ts";
import { hostPath } from "./host-path.ts";
import { findNode, findPython, requireModule } from "./interpreter.ts";
import { nodeLauncher } from "./node.ts";
import { pythonLauncher } from "./python.ts";

export interface HostOptions {
  /** The environment whose PATH is searched for the interpreter. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The port that Node's inspector listens on. */
  readonly inspect?: number | undefined;
  /** The port that debugpy listens on. */
  readonly debugpy?: number | undefined;
}

/**
 * Returns the launcher that runs a directory's function with a program of this machine.
 * @throws RUNTIME_MISSING if there is no such program, or if the language needs an image; USAGE for
 * the debugger of another language
 */
export async function hostLauncher(
  app: Pick<App, "directory" | "language">,
  options: HostOptions,
): Promise<Launcher> {
  const { directory, language } = app;
  const { environment, inspect, debugpy } = options;
  if (inspect !== undefined && language !== "nodejs") throw noDebugger("--inspect", language);
  if (debugpy !== undefined && language !== "python") throw noDebugger("--debugpy", language);
  switch (language) {
    case "nodejs": {
      const { path: node, version } = await findNode(environment);
      return nodeLauncher({
        directory,
        node,
        version,
        flags: inspect === undefined ? [] : [`--inspect=127.0.0.1:${inspect}`],
      });
    }
    case "python": {
      const { path: python, version } = await findPython(environment);
      if (debugpy !== undefined) await requireModule(python, "debugpy");
      return pythonLauncher({ directory, python, version, debugpy });
    }
    case "provided":
    case "go":
      return bootstrapLauncher(directory);
    default:
      throw new LambdaPackError(
        "RUNTIME_MISSING",
        `a function in ${language ?? "this language"} runs with the runtime of its base image only`,
        { hint: "build it first: lambda-pack build --to oci:image, then lambda-pack invoke oci:image" },
      );
  }
}

function noDebugger(flag: string, language: Language | undefined): LambdaPackError {
  const message = `${flag} has no effect on a function in ${language ?? "an unknown language"}`;
  return new LambdaPackError("USAGE", message, {
    hint: "--inspect is for a function in Node, --debugpy for one in Python",
  });
}

/** Runs the app's own `bootstrap`, which contains its runtime. */
function bootstrapLauncher(directory: string): Launcher {
  if (process.platform !== "linux") {
    throw new LambdaPackError("RUNTIME_MISSING", "a bootstrap for Lambda runs on Linux only", {
      hint: "run it on Linux, or in a virtual machine",
    });
  }
  return {
    description: "the app's own bootstrap, no sandbox",
    facts: { taskRoot: directory },
    launch: ({ variables }) => ({
      command: join(directory, "bootstrap"),
      args: [],
      directory,
      variables: { PATH: hostPath(directory), ...variables },
    }),
  };
}
