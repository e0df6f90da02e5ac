import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Base } from "../../base/base.ts";
import type { Installation, InstalledFiles } from "../../dependencies/installation.ts";
import type { InstallPlan } from "../../dependencies/plan.ts";
import { LambdaPackError } from "../../errors.ts";
import { resolveBase } from "../../lambda/base-name.ts";
import { removeTree } from "../../rootfs/unpack/unpack.ts";
import { readApp } from "../../runtime/app.ts";
import { Session } from "../../session/session.ts";
import { bundleSource } from "../build/bundle/bundle.ts";
import { collectFiles } from "../build/collect.ts";
import { planDependencies } from "../build/install.ts";
import { type BuildPlan, parseBuildOptions } from "../build/plan.ts";
import { type DebugPorts, type DirectoryRunnable, directoryFunction, functionNameOf } from "./function.ts";
import { hostBase } from "./host-base.ts";
import { LaidOut } from "./lay-out.ts";
import type { LocalPlan } from "./options.ts";

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
    const { environment, offline, insecureRegistries, cache, signal, emit } = this.#session;
    const key = lockFiles.map(({ file }) => readFileSync(file, "utf8")).join();
    if (this.#installed?.key === key) return this.#installed.files;
    const total = installation.packages.length;
    const files = await installation.install({
      ...{ cache, environment, offline, insecureRegistries, signal, onEvent: emit },
      workDirectory: await cache.makeWorkDirectory(),
      onProgress: (progress) => emit({ type: "install-progress", ...progress, total }),
    });
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
  throw new LambdaPackError(
    "USAGE",
    "--install brings packages for Linux, which do not run on this machine",
    {
      hint: "install them with their own package manager, and leave out --install",
    },
  );
}
