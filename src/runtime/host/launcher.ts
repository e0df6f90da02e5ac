import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { Language } from "../../lambda/bases.ts";
import type { App } from "../app.ts";
import type { Launcher } from "../launcher.ts";
import { programPath } from "../launcher.ts";
import { findNode, findPython, requireModule } from "./interpreter.ts";

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
  return misuse(
    `${flag} has no effect on a function in ${language ?? "an unknown language"}`,
    "--inspect is for a function in Node, --debugpy for one in Python",
  );
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

interface NodeLauncherOptions {
  readonly directory: string;
  readonly node: string;
  readonly version: string;
  readonly flags?: readonly string[] | undefined;
}

/**
 * Runs a function with this machine's Node, without a sandbox: with AWS's own client if the app's
 * packages contain it, with its native part replaced, else with that of lambda-pack.
 */
export function nodeLauncher({ directory, node, version, flags = [] }: NodeLauncherOptions): Launcher {
  const client = awsClientIn(directory);
  const [major = ""] = version.split(".");
  return {
    description: `node ${version} of this machine, no sandbox`,
    facts: { taskRoot: directory, executionEnvironment: `AWS_Lambda_nodejs${major}.x` },
    launch: ({ handler, variables }) => ({
      command: node,
      args: client
        ? [...flags, "--require", programPath("native-stand-in.cjs"), client, handler]
        : [...flags, programPath("node-client.mjs")],
      directory,
      variables: { PATH: hostPath(dirname(node)), ...variables },
    }),
  };
}

/**
 * Returns the package.json in a parent directory that makes the app's `.js` files ES modules, as in
 * Lambda there is none above the app. undefined: there is none.
 */
export function moduleTypeAbove(directory: string): string | undefined {
  if (existsSync(join(directory, "package.json"))) return undefined;
  for (let above = dirname(directory); above !== dirname(above); above = dirname(above)) {
    const file = join(above, "package.json");
    if (existsSync(file)) return /"type"\s*:\s*"module"/.test(readFileSync(file, "utf8")) ? file : undefined;
  }
  return undefined;
}

/** Finds AWS's client: version 4 is started by `index.mjs`, older ones by `bin/index.mjs`. */
function awsClientIn(directory: string): string | undefined {
  const found = join(directory, "node_modules/aws-lambda-ric");
  return ["index.mjs", "bin/index.mjs"].map((file) => join(found, file)).find((file) => existsSync(file));
}

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

/**
 * Returns the PATH of a function on this machine: the directory of its language and those of the
 * system, as on Lambda.
 */
function hostPath(languageDirectory: string): string {
  const system = process.platform === "win32" ? [] : ["/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"];
  return [languageDirectory, ...system].join(delimiter);
}
