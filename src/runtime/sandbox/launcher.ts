import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Launch, type LaunchContext, type Launcher, programPath, type Variables } from "../launcher.ts";
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

const MOUNT_POINTS = ["tmp", "proc", "dev"];
const LOCALHOST = "127.0.0.1 localhost";
/** The name under which an extension listens for telemetry. */
const TELEMETRY_HOST = "\n127.0.0.1 sandbox.localdomain\n";
/**
 * Lambda's user. Its home directory does not exist; without a line in passwd, Node's os.homedir()
 * throws.
 */
const USER = "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin";

/**
 * Prepares an unpacked image for a sandbox: creates the mount points, adds Lambda's user, and
 * copies this machine's name servers if the network is shared. Must run before the directories get
 * their final modes.
 */
export function prepareRoot(root: string, { network }: { readonly network: boolean }): void {
  for (const name of MOUNT_POINTS) ensureDirectory(join(root, name));
  ensureDirectory(join(root, "var"));
  ensureDirectory(join(root, "var/task"));
  ensureDirectory(join(root, "etc"));
  addUser(join(root, "etc/passwd"));
  replaceFile(join(root, "etc/hosts"), `${network ? ownFile("hosts") : LOCALHOST}${TELEMETRY_HOST}`);
  if (network) replaceFile(join(root, "etc/resolv.conf"), ownFile("resolv.conf"));
}

/** Adds Lambda's user, unless the image has a user with the same number. */
function addUser(place: string): void {
  const isFile = lstatSync(place, { throwIfNoEntry: false })?.isFile() === true;
  const lines = isFile ? readFileSync(place, "utf8").split("\n").filter(Boolean) : [];
  if (lines.some((line) => line.split(":")[2] === "993")) return;
  replaceFile(place, [...lines, USER, ""].join("\n"));
}

/** Writes a file in place of whatever is there, which could be a link out of the image. */
function replaceFile(place: string, text: string): void {
  rmSync(place, { recursive: true, force: true });
  writeFileSync(place, text, { mode: 0o644 });
}

/** Creates a directory; replaces a link, which could lead out of the image. */
function ensureDirectory(place: string): void {
  const found = lstatSync(place, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found) rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
}

/** Reads a file in this machine's /etc; "" if there is none: the function then has no name server. */
function ownFile(name: string): string {
  try {
    return readFileSync(join("/etc", name), "utf8");
  } catch {
    return "";
  }
}
