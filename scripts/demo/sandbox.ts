import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { functionEnvironment, type Outcome, startRuntimeApi } from "../../test/support/lambda-runtime.ts";
import type { RunSettings } from "./layout.ts";

export interface Invoked {
  readonly outcome: Outcome;
  /** How the function was kept from the rest of the machine. */
  readonly isolation: "its own root, read-only" | "none: this machine allows no user namespaces";
  /** From the start of the process to its answer. */
  readonly ms: number;
}

/** Bound to itself the root can be made read-only; /tmp is the only place to write to, as on Lambda. */
const ISOLATE = `mount --rbind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t tmpfs tmpfs "$1/tmp" &&
  mount --rbind /dev "$1/dev" && cd "$1" && shift && exec env -i "$@"`;

/** Runs the image unpacked in `root` against a Lambda Runtime API and hands it one event. The process is gone afterwards. */
export async function invoke(root: string, settings: RunSettings, event: unknown): Promise<Invoked> {
  const isolated = spawnSync("unshare", ["-Urm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"]).status === 0;
  const api = await startRuntimeApi();
  const env = environmentOf([...settings.Env, ...functionEnvironment(api.address)]);
  const startedAt = performance.now();
  const child = isolated ? startIsolated(root, settings, env) : startPlainly(root, settings, env);
  child.once("error", (error) => api.fail(error));
  child.once("exit", (status) => api.fail(new Error(`the function's process ended with ${status}`)));
  try {
    const outcome = await api.invoke(event);
    const isolation = isolated ? "its own root, read-only" : "none: this machine allows no user namespaces";
    return { outcome, isolation, ms: Math.round(performance.now() - startedAt) };
  } finally {
    child.kill("SIGKILL");
    await api.stop();
  }
}

type Variables = Readonly<Record<string, string>>;

function environmentOf(lines: readonly string[]): Variables {
  return Object.fromEntries(
    lines.map((line) => [line.split("=", 1)[0] ?? "", line.slice(line.indexOf("=") + 1)]),
  );
}

function startIsolated(root: string, { Entrypoint, Cmd }: RunSettings, env: Variables): ChildProcess {
  for (const place of ["tmp", "dev"]) mkdirSync(join(root, place), { recursive: true });
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = [...variables, chrootPath(), ".", ...Entrypoint, ...Cmd];
  return spawn("unshare", ["-Urm", "sh", "-c", ISOLATE, "sh", root, ...command], { stdio: "inherit" });
}

/** In full, for after `env -i` the PATH is the image's. */
function chrootPath(): string {
  return spawnSync("sh", ["-c", "PATH=$PATH:/usr/sbin:/sbin command -v chroot"], {
    encoding: "utf8",
  }).stdout.trim();
}

/** With the image's own files and this machine's root. */
function startPlainly(root: string, { Cmd }: RunSettings, env: Variables): ChildProcess {
  const [task, temporary] = [join(root, "var/task"), join(root, "tmp")];
  mkdirSync(temporary, { recursive: true });
  const variables = { ...env, LAMBDA_TASK_ROOT: task, TMPDIR: temporary, _HANDLER: Cmd[0] ?? "" };
  const script = join(root, "var/runtime/index.mjs");
  return spawn(process.execPath, [script], { env: variables, stdio: "inherit" });
}
