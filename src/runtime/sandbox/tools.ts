import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 5000;
const DIRECTORIES = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin"];

/** Paths of the programs on this machine that create a sandbox. */
export type SandboxTools =
  | {
      readonly kind: "namespaces";
      readonly unshare: string;
      /**
       * Activates the loopback interface of a new network: `ip` or `ifconfig`. Absent: the sandbox
       * shares this machine's network.
       */
      readonly ip?: string | undefined;
    }
  /** Has privileges on some systems that do not allow user namespaces. */
  | { readonly kind: "bubblewrap"; readonly bwrap: string };

/** The tools, or the reason why there can be no sandbox. */
export type SandboxProbe<T = SandboxTools> = { readonly tools: T } | { readonly reason: string };

type Tools<K extends SandboxTools["kind"]> = Extract<SandboxTools, { kind: K }>;

/** The operations of the sandbox, without the image. */
const TRIAL = `set -e
mount -t tmpfs tmpfs /tmp
mount -t proc proc /proc
exec "$1" --user --map-user=993 --map-group=990 --root=/ --wd=/ -- true`;

const NAMESPACES = "--user --map-root-user --mount --pid --fork --kill-child --ipc --uts".split(" ");

const BUBBLEWRAP_TRIAL = [
  ..."--unshare-user --uid 993 --gid 990 --unshare-pid --unshare-ipc --unshare-uts".split(" "),
  ..."--ro-bind / / --proc /proc --dev /dev --perms 1777 --tmpfs /tmp -- true".split(" "),
];

/** Finds the sandbox that this machine allows its users: namespaces, else bubblewrap. */
export async function probeSandbox(): Promise<SandboxProbe> {
  const namespaces = await probeNamespaces();
  if ("tools" in namespaces) return namespaces;
  const bubblewrap = await probeBubblewrap();
  return "tools" in bubblewrap ? bubblewrap : namespaces;
}

/** Tries user namespaces, which Ubuntu 24.04 (AppArmor) and many containers do not allow. */
export async function probeNamespaces(): Promise<SandboxProbe<Tools<"namespaces">>> {
  if (process.platform !== "linux")
    return { reason: "only Linux has the namespaces that a sandbox is made of" };
  const unshare = programOf("unshare");
  if (unshare === undefined) return { reason: "there is no unshare (util-linux) on this machine" };
  const failure = await failureOf(unshare, [...NAMESPACES, "--", "/bin/sh", "-c", TRIAL, "sh", unshare]);
  if (failure !== undefined) return { reason: `this machine allows no user namespaces (${failure})` };
  return { tools: { kind: "namespaces", unshare, ip: await workingIp(unshare) } };
}

export async function probeBubblewrap(): Promise<SandboxProbe<Tools<"bubblewrap">>> {
  const bwrap = programOf("bwrap");
  if (bwrap === undefined) return { reason: "there is no bwrap (bubblewrap) on this machine" };
  const failure = await failureOf(bwrap, BUBBLEWRAP_TRIAL);
  if (failure !== undefined) return { reason: `bubblewrap does not work on this machine (${failure})` };
  return { tools: { kind: "bubblewrap", bwrap } };
}

async function workingIp(unshare: string): Promise<string | undefined> {
  for (const name of ["ip", "ifconfig"]) {
    const program = programOf(name);
    if (program === undefined) continue;
    const up = name === "ip" ? ["link", "set", "lo", "up"] : ["lo", "up"];
    const failure = await failureOf(unshare, ["--user", "--map-root-user", "--net", "--", program, ...up]);
    if (failure === undefined) return program;
  }
  return undefined;
}

function programOf(name: string): string | undefined {
  return DIRECTORIES.map((directory) => join(directory, name)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Returns the first line that the program printed about its failure; undefined if it succeeded. */
async function failureOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    await run(program, args, { timeout: PROBE_TIMEOUT_MS, env: { PATH: DIRECTORIES.join(":") } });
    return undefined;
  } catch (error) {
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    return stderr.split("\n")[0] || "it failed and did not say why";
  }
}
