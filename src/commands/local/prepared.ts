import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Base } from "../../base/base.ts";
import type { Installation, InstalledFiles } from "../../dependencies/installation.ts";
import type { InstallPlan } from "../../dependencies/plan.ts";
import { misuse } from "../../errors.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import type { Language } from "../../lambda/bases.ts";
import { Source } from "../../layer/encode/source.ts";
import { emptyImage } from "../../oci/compose.ts";
import { platformOf } from "../../oci/platform.ts";
import { removeTree } from "../../rootfs/unpack/unpack.ts";
import { readApp } from "../../runtime/app.ts";
import { findNode, findPython } from "../../runtime/host/interpreter.ts";
import { type Environment, Session } from "../../session/session.ts";
import type { Entry, FileEntry } from "../../tar/entry.ts";
import { bundleSource } from "../build/bundle/bundle.ts";
import { collectFiles } from "../build/collect.ts";
import { planDependencies, runInstallation } from "../build/install.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type DebugPorts, type DirectoryRunnable, directoryFunction, functionNameOf } from "./function.ts";
import { type LocalPlan, machineArchitecture } from "./options.ts";

/**
 * A directory whose function is bundled, or whose dependencies are installed, before it runs on
 * this machine.
 */
export interface Prepared {
  /** Bundles and installs what changed since the last call. @throws what a build throws */
  load(debug?: DebugPorts): Promise<DirectoryRunnable>;
  close(): Promise<void>;
}

/** Opens a session for preparing a directory. @throws what opening a cache throws */
export function openPrepared(directory: string, plan: LocalPlan): Promise<Prepared> {
  return new Promise((resolve, reject) => {
    const closed = Session.run(
      plan.session,
      (session) =>
        new Promise<void>((endSession) => {
          const preparation = new Preparation(directory, plan, session);
          const close = () => {
            endSession();
            return closed;
          };
          resolve({ load: (debug) => preparation.load(debug), close });
        }),
    );
    closed.catch(reject);
  });
}

interface PreparedDirectory {
  readonly directory: string;
  readonly remove?: DirectoryRunnable["remove"];
}

class Preparation {
  readonly #directory: string;
  readonly #plan: LocalPlan;
  readonly #session: Session;
  #installed: { readonly key: string; readonly files: InstalledFiles } | undefined;
  #copy: LaidOut | undefined;

  constructor(directory: string, plan: LocalPlan, session: Session) {
    this.#directory = directory;
    this.#plan = plan;
    this.#session = session;
  }

  async load(debug?: DebugPorts): Promise<DirectoryRunnable> {
    const { functionName = functionNameOf(realpathSync(this.#directory)), handler } = this.#plan;
    const app = this.#plan.bundle ? undefined : await this.#app();
    const base = await hostBase(app ? app.language : "nodejs", this.#session.environment);
    const bundled = await bundleSource(this.#buildPlan(), base, this.#session);
    const { directory, remove } = await this.#laidOut(bundled, base);
    const found = app?.handler ?? bundled.command.handler ?? handler;
    const own = { ...this.#plan, functionName, handler: found, exclude: [], ignoreFile: undefined };
    const runnable = await directoryFunction(directory, own, debug);
    return { ...runnable, remove, directories: () => bundled.sources ?? app?.directories() ?? new Set() };
  }

  #app() {
    const { handler, exclude, ignoreFile, base, session } = this.#plan;
    const { environment, signal } = session;
    const facts = base === undefined ? undefined : resolveBase(base, environment).base;
    return readApp({ directory: this.#directory, handler, exclude, ignoreFile, base: facts, signal });
  }

  /** Returns a plan with a placeholder base; {@link hostBase} is used instead. */
  #buildPlan(): BuildPlan {
    const { handler, exclude, ignoreFile, bundle, install, extra, group, session } = this.#plan;
    const { environment, onEvent } = session;
    return parseBuildOptions({
      ...{ directory: this.#directory, base: "scratch", bundle, exclude, environment, onEvent },
      ...{ install, extra, group },
      ...(handler !== undefined && { handler }),
      ...(ignoreFile !== undefined && !bundle && { ignoreFile }),
      dryRun: true,
    });
  }

  /** Returns the bundle's directory; if packages are installed, a copy of it that includes them. */
  async #laidOut(plan: BuildPlan, base: Base): Promise<PreparedDirectory> {
    const session = this.#session;
    const { installation, source } = await planDependencies(plan, base, session);
    const remove = this.#plan.bundle ? () => removeTree(dirname(source.directory)) : undefined;
    if (!installation) return { directory: withManifest(source.directory), remove };
    requireLinux();
    const { files } = await collectFiles(source, base.image, session);
    const installed = await this.#install(installation, plan.install);
    this.#copy ??= new LaidOut(join(await session.cache.makeWorkDirectory(), "app"));
    const own = files.map(({ path, entry }) => ({ ...entry, path }));
    this.#copy.update([...installed.entries, ...own]);
    remove?.();
    return { directory: withManifest(this.#copy.directory) };
  }

  /** Installs the packages again only if the lock file changed. */
  async #install(installation: Installation, { lockFiles }: InstallPlan): Promise<InstalledFiles> {
    const key = lockFiles.map(({ file }) => readFileSync(file, "utf8")).join();
    if (this.#installed?.key === key) return this.#installed.files;
    const workDirectory = await this.#session.cache.makeWorkDirectory();
    const files = await runInstallation(installation, workDirectory, this.#session);
    this.#installed = { key, files };
    return files;
  }
}

/**
 * Adds a package.json if there is none. Otherwise one in a parent directory decides how Node loads
 * the modules; an image has none there.
 */
function withManifest(directory: string): string {
  const manifest = join(directory, "package.json");
  if (!existsSync(manifest)) writeFileSync(manifest, "{}");
  return directory;
}

function requireLinux(): void {
  if (process.platform === "linux") return;
  throw misuse(
    "--install brings packages for Linux, which do not run on this machine",
    "install them with their own package manager, and leave out --install",
  );
}

/**
 * Creates a base that describes this machine: the target for bundling and installing if a function
 * runs with this machine's Node or Python.
 * @throws USAGE for another language; RUNTIME_MISSING
 */
async function hostBase(language: Language | undefined, environment: Environment): Promise<Base> {
  const architecture = machineArchitecture();
  const { settings, ...image } = emptyImage(platformOf(architecture), "oci");
  const config = { Entrypoint: ["/lambda-entrypoint.sh"], WorkingDir: "/var/task" };
  return {
    image: { ...image, settings: { ...settings, config } },
    reference: "this machine",
    facts: {
      ...(await interpreterOf(language, environment)),
      ...{ system: "AL2023", architectures: [architecture], deprecated: "9999-12-31" },
    },
  };
}

async function interpreterOf(
  language: Language | undefined,
  environment: Environment,
): Promise<{ readonly repository: Language; readonly tag: string }> {
  if (language === "nodejs") {
    const { version } = await findNode(environment);
    return { repository: language, tag: version.split(".")[0] ?? "" };
  }
  if (language === "python") {
    const { version } = await findPython(environment);
    return { repository: language, tag: version.split(".").slice(0, 2).join(".") };
  }
  throw misuse(
    `--install without a sandbox is for Node and Python, and this is ${language}`,
    "add --sandbox to invoke: the directory is built and runs as an image",
  );
}

/** A directory with the files of entries, which can be updated to other entries. */
class LaidOut {
  readonly directory: string;
  /** The state of the entry that was written for each path. */
  #written = new Map<string, string>();

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  /** Writes the entries that changed since the last call, and removes files without an entry. */
  update(entries: Iterable<Entry>): void {
    const written = new Map<string, string>();
    for (const entry of entries) {
      const state = JSON.stringify(entry);
      written.set(entry.path, state);
      if (this.#written.get(entry.path) !== state) this.#write(entry);
    }
    for (const path of this.#written.keys())
      if (!written.has(path)) rmSync(join(this.directory, path), { recursive: true, force: true });
    this.#written = written;
  }

  #write(entry: Entry): void {
    const place = join(this.directory, entry.path);
    if (entry.kind === "directory") return void mkdirSync(place, { recursive: true });
    mkdirSync(dirname(place), { recursive: true });
    rmSync(place, { recursive: true, force: true });
    if (entry.kind === "symlink") symlinkSync(entry.target, place);
    else writeFile(entry, place);
  }
}

function writeFile(entry: FileEntry, place: string): void {
  if (entry.offset === undefined) {
    copyFileSync(entry.source, place);
    return;
  }
  const bytes = Buffer.alloc(entry.size);
  const source = new Source(entry);
  try {
    while (source.left > 0) source.read(bytes, entry.size - source.left);
  } finally {
    source.close();
  }
  writeFileSync(place, bytes, { mode: entry.mode });
}
