import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Launcher } from "../launcher.ts";
import { programPath } from "../program-path.ts";
import { hostPath } from "./host-path.ts";

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
