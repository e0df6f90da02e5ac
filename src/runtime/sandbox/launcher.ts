import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Launch, LaunchContext, Launcher, Variables } from "../launcher.ts";
import { programPath } from "../program-path.ts";
import { isExecutable, type SandboxTools } from "./tools.ts";

interface SandboxOptions {
  readonly tools: SandboxTools;
  /** The directory of the unpacked image after `prepareRoot`. */
  readonly root: string;
  /** The image's ENTRYPOINT and CMD. */
  readonly command: readonly string[];
  readonly directory: string;
  readonly taskRoot: string;
  readonly variables: Variables;
  /**
   * true: the function shares this machine's network. Default false: it has none, if the tools
   * allow that.
   */
  readonly network?: boolean | undefined;
  /** An existing directory with a short path for the Runtime API's socket. */
  readonly socketDirectory: string;
  /** The path of the Node that forwards the Runtime API. */
  readonly node: string;
}

/** The address in the sandbox's own network; it is the same in Lambda. */
const OWN_API = "127.0.0.1:9001";
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Runs an image's own program as Lambda's user in its own namespaces, with the image as root
 * directory, read-only except /tmp. The function cannot access the files, processes or (unless
 * requested) the network of this machine.
 */
export function sandboxLauncher(options: SandboxOptions): Launcher {
  const { tools, root, taskRoot, network, socketDirectory } = options;
  if (tools.kind === "bubblewrap") {
    return {
      description: "the image's own runtime, in a sandbox of bubblewrap, this machine's network",
      facts: { taskRoot },
      launch: (context) => launchInBubblewrap(options, tools.bwrap, context),
    };
  }
  const ip = network ? undefined : tools.ip;
  const reach = ip
    ? "no network"
    : `this machine's network${network ? "" : ", as there is no ip to make another"}`;
  return {
    description: `the image's own runtime, in a sandbox of namespaces, ${reach}`,
    facts: { taskRoot },
    extensions: extensionsIn(root),
    ...(ip && { socketDirectory, runtimeApi: OWN_API }),
    launch: (context) => launchInNamespaces(options, tools.unshare, ip, context),
  };
}

/** Returns whether a function in such a sandbox can use this machine's network. */
export function sharesNetwork(tools: SandboxTools, network: boolean): boolean {
  return network || tools.kind === "bubblewrap" || tools.ip === undefined;
}

function extensionsIn(root: string): readonly string[] {
  try {
    return readdirSync(join(root, "opt/extensions"), { withFileTypes: true })
      .filter((entry) => entry.isFile() && isExecutable(join(root, "opt/extensions", entry.name)))
      .map(({ name }) => name);
  } catch {
    return []; // the directory does not exist
  }
}

function launchInNamespaces(
  options: SandboxOptions,
  unshare: string,
  ip: string | undefined,
  context: LaunchContext,
): Launch {
  const { root, command, directory, node } = options;
  const { names, variables } = variablesOf(options, context);
  const inside = [programPath("sandbox.sh"), root, directory, unshare, names, ...command];
  const processes = ["--pid", "--fork", "--kill-child", "--ipc", "--uts", "--", "/bin/sh", ...inside];
  const network =
    ip === undefined
      ? []
      : [
          ...["--net", "--", "/bin/sh", programPath("own-network.sh"), ip],
          ...[node, programPath("forward.mjs"), context.api, unshare],
        ];
  return {
    command: unshare,
    args: ["--user", "--map-root-user", "--mount", ...network, ...processes],
    directory: "/",
    variables,
    reportsEnds: true,
  };
}

function launchInBubblewrap(options: SandboxOptions, bwrap: string, context: LaunchContext): Launch {
  const { names, variables } = variablesOf(options, context);
  const { root, directory, command } = options;
  return {
    command: "/bin/sh",
    args: [programPath("bubblewrap.sh"), bwrap, root, directory, names, ...command],
    directory: "/",
    variables,
  };
}

/**
 * Returns the function's variables for the scripts. The prefix keeps them from affecting the
 * sandbox's tools, and no command line contains a value.
 */
function variablesOf(options: SandboxOptions, context: LaunchContext) {
  const own = Object.entries({ ...options.variables, ...context.variables }).filter(([name]) =>
    IDENTIFIER.test(name),
  );
  const values = Object.fromEntries(own.map(([name, value]) => [`LAMBDA_PACK_${name}`, value]));
  return {
    names: own.map(([name]) => name).join(" "),
    variables: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...values },
  };
}
