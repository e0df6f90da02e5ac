import { dirname } from "node:path";
import type { Launcher } from "../launcher.ts";
import { programPath } from "../program-path.ts";
import { hostPath } from "./host-path.ts";

const BOOTSTRAP = programPath("python_bootstrap.py");

interface PythonLauncherOptions {
  readonly directory: string;
  readonly python: string;
  readonly version: string;
  /** The port for debugpy; it does not wait for a debugger. */
  readonly debugpy?: number | undefined;
}

/**
 * Runs a function with this machine's Python, without a sandbox: with AWS's own client if it can be
 * imported, with its native part replaced, else with that of lambda-pack.
 */
export function pythonLauncher({ directory, python, version, debugpy }: PythonLauncherOptions): Launcher {
  const minor = version.split(".").slice(0, 2).join(".");
  const debugger_ = debugpy === undefined ? [] : debuggerArguments(debugpy);
  return {
    description: `python ${version} of this machine, no sandbox`,
    facts: { taskRoot: directory, executionEnvironment: `AWS_Lambda_python${minor}` },
    launch: ({ handler, variables }) => ({
      command: python,
      // -u: output is not buffered. -s: packages in the user's own directory are not used.
      args: ["-u", "-s", ...debugger_, BOOTSTRAP, handler],
      directory,
      variables: { PATH: hostPath(dirname(python)), PYTHONDONTWRITEBYTECODE: "1", ...variables },
    }),
  };
}

/**
 * Returns the debugger's arguments. It misses breakpoints in frozen modules (Python 3.11 and
 * later).
 */
function debuggerArguments(port: number): readonly string[] {
  return ["-X", "frozen_modules=off", "-m", "debugpy", "--listen", `127.0.0.1:${port}`];
}
