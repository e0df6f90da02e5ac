import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import type { Language } from "../../lambda/bases.ts";
import { languageOf } from "../../lambda/handler/language.ts";
import type { Image, RunSettings } from "../../oci/image.ts";
import { architectureOf, platformOf } from "../../oci/platform.ts";
import { removeTree, unpackImage } from "../../rootfs/unpack/unpack.ts";
import { findNode } from "../../runtime/host/interpreter.ts";
import { hostLauncher } from "../../runtime/host/launcher.ts";
import type { Launcher, Variables } from "../../runtime/launcher.ts";
import { prepareRoot, sandboxLauncher, sharesNetwork } from "../../runtime/sandbox/launcher.ts";
import { probeSandbox, type SandboxProbe } from "../../runtime/sandbox/tools.ts";
import type { ImageLocation } from "../../session/image-location.ts";
import { pullUnchanged } from "../../session/pull.ts";
import type { Session } from "../../session/session.ts";
import { functionNameOf, type Runnable } from "./function.ts";
import { type LocalPlan, machineArchitecture } from "./options.ts";

const TASK_ROOT = "/var/task";
/** Docker's default for images without a PATH. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The plan for running an image's function on this machine. */
export interface ImagePlan extends LocalPlan {
  /** false: no sandbox, even if the system supports it. */
  readonly sandbox: boolean;
  /** true: the sandbox shares this machine's network. */
  readonly network: boolean;
}

/** An image to run, with its names. */
export interface ImageToRun {
  readonly image: Image;
  readonly reference: string;
  /** The path whose last part is the function's name, unless the user gives one. */
  readonly path: string;
}

/**
 * Pulls the manifest and config of the image for this machine. The layers are read when it is
 * unpacked.
 * @throws what pulling throws
 */
export async function pullToRun(source: ImageLocation, session: Session): Promise<ImageToRun> {
  const { image, reference } = await pullUnchanged(source, platformOf(machineArchitecture()), session);
  return { image, reference, path: source.kind === "registry" ? source.reference.repository : source.path };
}

/** A runnable function; `close` removes its files. */
export interface UnpackedFunction extends Runnable {
  close(): void;
}

/**
 * Unpacks an image and prepares its function. It runs in a sandbox with the image's own runtime if
 * the system supports this, else with this machine's Node or Python.
 * @throws RUNTIME_MISSING if neither is possible, IMAGE_UNSUPPORTED for an image of another
 * architecture, and what reading layers throws
 */
export async function imageFunction(
  { image, reference, path }: ImageToRun,
  plan: ImagePlan,
  session: Session,
): Promise<UnpackedFunction> {
  const { timeoutMs, memoryMb, region, variables } = plan;
  checkArchitecture(image, reference);
  const probe: SandboxProbe = plan.sandbox ? await probeSandbox() : { reason: "--no-sandbox is given" };
  const work = await session.cache.makeWorkDirectory();
  const sockets = socketDirectory(work);
  const close = () => {
    removeTree(work);
    rmSync(sockets, { recursive: true, force: true });
  };
  try {
    const root = join(work, "root");
    mkdirSync(root);
    const place: Place = { root, sockets, settings: settingsOf(image, plan.handler) };
    await unpack(image, root, probe, plan, session);
    const launcher = await launcherOf(place, probe, plan, session);
    const handler = place.settings.handler;
    const name = plan.functionName ?? functionNameOf(path);
    const facts = { name, handler, memoryMb, region, variables, ...launcher.facts };
    return { facts, launcher, timeoutMs, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** On Linux the path of a socket is at most 107 bytes long (unix(7)). */
const MAX_SOCKET_DIRECTORY_LENGTH = 90;

function socketDirectory(work: string): string {
  if (Buffer.byteLength(work) <= MAX_SOCKET_DIRECTORY_LENGTH) return work;
  return mkdtempSync(join(tmpdir(), "lambda-pack-"));
}

interface Place {
  readonly root: string;
  readonly sockets: string;
  readonly settings: StartSettings;
}

interface StartSettings {
  readonly command: readonly string[];
  readonly handler: string;
  readonly directory: string;
  readonly taskRoot: string;
  readonly variables: Variables;
  readonly language: Language | undefined;
}

function settingsOf({ settings }: Image, given: string | undefined): StartSettings {
  const config = settings.config ?? {};
  const { Entrypoint: entrypoint = [], WorkingDir: workingDir = "", Env: env = [] } = config;
  const cmd = given === undefined ? (config.Cmd ?? []) : [given];
  const command = [...entrypoint, ...cmd];
  if (command.length === 0) {
    throw new LambdaPackError(
      "IMAGE_INVALID",
      "the image has neither ENTRYPOINT nor CMD: it starts nothing",
      {
        hint: "build it on one of AWS's base images, or with --entrypoint",
      },
    );
  }
  const variables: Variables = { PATH: DEFAULT_PATH, ...Object.fromEntries(env.map(splitVariable)) };
  const taskRoot = variables["LAMBDA_TASK_ROOT"] || TASK_ROOT;
  const directory = workingDir === "" || workingDir === "/" ? TASK_ROOT : workingDir;
  return { command, handler: cmd.at(-1) ?? "", directory, taskRoot, variables, language: languageIn(config) };
}

function splitVariable(line: string): readonly [string, string] {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}

/** Returns the language according to the command and environment, else the base in the labels. */
function languageIn(config: RunSettings): Language | undefined {
  const base = config.Labels?.["org.opencontainers.image.base.name"];
  return languageOf(config, config.Entrypoint) ?? (base ? languageOfBase(base) : undefined);
}

function languageOfBase(name: string): Language | undefined {
  try {
    return resolveBase(name, {}).base?.repository;
  } catch {
    return undefined; // a label can contain anything
  }
}

function checkArchitecture({ settings }: Image, source: string): void {
  const [of, own] = [architectureOf(settings), machineArchitecture()];
  if (of === own) return;
  throw new LambdaPackError(
    "IMAGE_UNSUPPORTED",
    `${source} is for ${of ?? `${settings.os}/${settings.architecture}`}, and this machine is ${own}`,
    { hint: `build it for this machine too: lambda-pack build --arch ${own}` },
  );
}

async function unpack(
  image: Image,
  root: string,
  probe: SandboxProbe,
  { network }: ImagePlan,
  { signal }: Session,
): Promise<void> {
  if ("tools" in probe) {
    const prepare = () => prepareRoot(root, { network: sharesNetwork(probe.tools, network) });
    return unpackImage(image.layers, root, { signal, owner: "others", prepare });
  }
  await unpackImage(image.layers, root, { signal });
  // A package.json above the app would decide how Node loads its modules; the image has none there.
  writeFileSync(join(root, "package.json"), "{}");
}

async function launcherOf(
  { root, sockets, settings }: Place,
  probe: SandboxProbe,
  { network }: ImagePlan,
  session: Session,
): Promise<Launcher> {
  const { environment } = session;
  const { command, directory, taskRoot, variables, language } = settings;
  if ("tools" in probe) {
    const { path: node } = await findNode(environment);
    const where = { root, directory, taskRoot, socketDirectory: sockets, node };
    return sandboxLauncher({ ...where, tools: probe.tools, command, variables, network });
  }
  const app = { directory: join(root, taskRoot), language };
  const launcher = await hostLauncher(app, { environment }).catch((cause: unknown) => {
    throw new LambdaPackError("RUNTIME_MISSING", `the image cannot be run in a sandbox: ${probe.reason}`, {
      hint: "allow user namespaces (on Ubuntu: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0), or run it where they are allowed",
      cause,
    });
  });
  const own = Object.entries(variables).filter(([name]) => !/^(?:PATH|LANG|TZ|LD_.*|LAMBDA_.*)$/.test(name));
  const launch: Launcher["launch"] = (context) =>
    launcher.launch({ ...context, variables: { ...Object.fromEntries(own), ...context.variables } });
  return { ...launcher, launch, description: `${launcher.description}: ${probe.reason}` };
}
