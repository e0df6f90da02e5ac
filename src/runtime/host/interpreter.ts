import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { LambdaPackError } from "../../errors.ts";

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 10_000;

interface Interpreter {
  /** The path of the program itself, not of a wrapper that selects one. */
  readonly path: string;
  /** For example `3.12.1`. */
  readonly version: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Finds Node. @throws RUNTIME_MISSING if this process is not Node and the PATH has none */
export async function findNode(environment: Environment): Promise<Interpreter> {
  const isNode = process.versions["bun"] === undefined && process.versions["deno"] === undefined;
  if (isNode) return { path: process.execPath, version: process.versions.node };
  const print = "process.stdout.write(JSON.stringify([process.execPath,process.versions.node]))";
  return probe(["node"], ["-e", print], environment, "Node");
}

/**
 * Finds the Python of the user's shell: an active virtual environment's, or the one that pyenv
 * selects.
 * @throws RUNTIME_MISSING
 */
export function findPython(environment: Environment): Promise<Interpreter> {
  const print = "import json,platform,sys;print(json.dumps([sys.executable,platform.python_version()]))";
  return probe(["python3", "python"], ["-c", print], environment, "Python");
}

/** Checks that this Python can import a module. @throws RUNTIME_MISSING */
export async function requireModule(python: string, name: string): Promise<void> {
  await run(python, ["-c", `import ${name}`], { timeout: PROBE_TIMEOUT_MS }).catch((cause: unknown) => {
    throw new LambdaPackError("RUNTIME_MISSING", `${python} has no ${name}`, {
      hint: `${python} -m pip install ${name}`,
      cause,
    });
  });
}

async function probe(
  names: readonly string[],
  args: readonly string[],
  environment: Environment,
  language: string,
): Promise<Interpreter> {
  for (const name of names) {
    const found = await ask(name, args, environment);
    if (found) return found;
  }
  const message = `there is no ${language} on this machine's PATH (${names.join(", ")})`;
  throw new LambdaPackError("RUNTIME_MISSING", message, {
    hint: `install ${language}, or build an image and invoke that: lambda-pack build --to oci:image && lambda-pack invoke oci:image`,
  });
}

async function ask(
  name: string,
  args: readonly string[],
  env: Environment,
): Promise<Interpreter | undefined> {
  try {
    const { stdout } = await run(name, args, { env: { ...env }, timeout: PROBE_TIMEOUT_MS });
    const [path, version]: readonly unknown[] = JSON.parse(stdout);
    return typeof path === "string" && typeof version === "string" ? { path, version } : undefined;
  } catch {
    return undefined; // missing, or not the program that its name suggests
  }
}
