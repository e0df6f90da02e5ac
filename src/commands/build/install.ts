import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { once } from "../../async/single-flight.ts";
import type { Base } from "../../base/base.ts";
import type { Installation, InstalledFiles } from "../../dependencies/installation.ts";
import { type InstallPlan, planInstallation } from "../../dependencies/plan.ts";
import type { InstalledPackage } from "../../events.ts";
import type { Collection } from "../../layer/collect.ts";
import { isNever } from "../../layer/ignore/never.ts";
import { contentKey } from "../../layer/keys.ts";
import { parseTarget } from "../../layer/source-root.ts";
import { type Group, split } from "../../layer/split.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import type { Session } from "../../session/session.ts";
import { collectionOf, type SourcePlan } from "./collect.ts";
import { type BuiltLayer, type Found, type LayerContext, layerOf } from "./layers/built-layer.ts";
import { cachedLayer } from "./layers/layers.ts";

/** Must be raised with every change of how installed files become layers. */
const FORMAT = 1;

/** The dependencies of a build: as layers if an earlier build made them, else as files. */
interface Dependencies {
  /** undefined: the layers cannot be reused. */
  readonly key: Digest | undefined;
  /** Existing layers; their files are not on disk. */
  readonly layers: readonly BuiltLayer[];
  /** Files to pack. */
  readonly groups: readonly Group[];
  /** undefined: nothing is installed. */
  readonly report: BuiltDependencies | undefined;
}

/** The dependencies in the image. */
export interface BuiltDependencies {
  /** `npm-lock`, or the package manager that installed them. */
  readonly way: string;
  readonly lockFile: string;
  /** `reused`: the layers existed, and nothing was downloaded. */
  readonly how: "installed" | "reused";
  readonly packages: readonly InstalledPackage[];
}

interface PlannedDependencies {
  /** undefined: nothing is installed. */
  readonly installation: Installation | undefined;
  /** The source without packages of an earlier installation in the directory. */
  readonly source: SourcePlan;
}

/**
 * Plans the installation for the base, without downloading packages.
 * @throws USAGE, LOCK_INVALID, DEPENDENCY_UNAVAILABLE
 */
export async function planDependencies(
  { install, source }: { readonly install: InstallPlan; readonly source: SourcePlan },
  base: Base,
  session: Session,
): Promise<PlannedDependencies> {
  const installation = await planInstallation(install, base, session);
  if (!installation) return { installation, source };
  const { way, lockFile, packages, replaces, warnings } = installation;
  const leftOut = replaces.filter((path) => existsSync(join(source.directory, path)));
  session.emit({ type: "dependencies-planned", way, lockFile, packages: packages.length, leftOut });
  for (const warning of warnings) session.emit({ type: "warning", ...warning });
  const output = [...source.output, ...leftOut.map((path) => resolve(source.directory, path))];
  return { installation, source: { ...source, output, installs: true } };
}

/**
 * Finds the layers of an installation in the cache or the previous image, else installs. Downloads
 * nothing if they are found.
 * @param target the absolute path in the image
 * @throws what the installation throws
 */
export async function resolveDependencies(
  installation: Installation | undefined,
  target: string,
  context: LayerContext,
): Promise<Dependencies> {
  if (!installation) return { key: undefined, layers: [], groups: [], report: undefined };
  const { session, rules, level, created } = context;
  const place = parseTarget(target);
  const parts = [FORMAT, installation.key, place, rules, created.getTime()];
  const key = installation.key && contentKey(digestOf(JSON.stringify(parts)), level);
  const installed = once(() => installFiles(installation, place, context));
  const layers = key && (await findLayers(key, async () => (await installed()).groups, context));
  if (layers) return { key, layers, groups: [], report: reported(installation, "reused", session) };
  const { groups, packages } = await installed();
  return { key, layers: [], groups, report: reported({ ...installation, packages }, "installed", session) };
}

/**
 * Warns of installed Python packages in the source directory: their files are packed on top of
 * those that `install` adds.
 */
export function warnOfInstalled(
  { installation }: PlannedDependencies,
  files: Collection,
  { emit }: Session,
): void {
  const [first] = files.distributions;
  if (!installation || !first) return;
  const more = files.distributions.length > 1 ? ` and ${files.distributions.length - 1} more` : "";
  emit({
    type: "warning",
    message: `the directory has installed Python packages (${first.info}${more}), which are packed on top of those that --install brings`,
    hint: "delete them, or leave them out with --exclude",
  });
}

/** Emits an event for each package, for a dry run. */
export function listDependencies(
  { dependencies }: { readonly dependencies: BuiltDependencies | undefined },
  { emit }: Session,
): void {
  for (const dependency of dependencies?.packages ?? []) emit({ type: "dependency-listed", dependency });
}

async function findLayers(
  key: Digest,
  groups: () => Promise<readonly Group[]>,
  context: LayerContext,
): Promise<readonly BuiltLayer[] | undefined> {
  const startedAt = performance.now();
  const found = (await cachedLayers(key, context)) ?? (await context.previous.findInstallation(key));
  return found?.map((layer, index) => {
    const facts = { files: 0, bytes: 0, ...layer };
    const built = layerOf(facts, layer, async () => (await groups())[index], startedAt, context);
    return { ...built, installation: { key, part: index + 1, parts: found.length } };
  });
}

type NamedFound = Found & { readonly name: string; readonly files?: number; readonly bytes?: number };

async function cachedLayers(key: Digest, context: LayerContext): Promise<readonly NamedFound[] | undefined> {
  const layers: NamedFound[] = [];
  for (const { name, fingerprint } of (await context.session.cache.findInstallation(key)) ?? []) {
    const cached = await cachedLayer(fingerprint, context);
    if (!cached) return undefined;
    layers.push({ ...cached, name, fingerprint, how: "cached" });
  }
  return layers.length > 0 ? layers : undefined;
}

/** Records the installation in the layers of its groups and in the cache. */
export async function rememberDependencies(
  { key, groups }: Dependencies,
  layers: readonly BuiltLayer[],
  { cache }: Session,
): Promise<readonly BuiltLayer[]> {
  const own = layers.slice(0, groups.length);
  const last = own.at(-1)?.layer.descriptor;
  if (!key || !last) return layers;
  if (cache.directory !== undefined)
    await cache.rememberInstallation(
      key,
      own.map(({ name, fingerprint }) => ({ name, fingerprint })),
      last,
    );
  return layers.map((layer, index) =>
    index < own.length ? { ...layer, installation: { key, part: index + 1, parts: own.length } } : layer,
  );
}

/**
 * Installs the dependencies and groups their files.
 * @param place their directory in the image, without a slash at either end
 * @throws what the installation throws
 */
export async function installFiles(
  installation: Installation,
  place: string,
  context: Pick<LayerContext, "session" | "rules" | "signal">,
): Promise<Installed> {
  const { session, signal } = context;
  const workDirectory = await session.cache.makeWorkDirectory();
  const { entries, packages } = await runInstallation(installation, workDirectory, session, signal);
  const prefix = place === "" ? "" : `${place}/`;
  const files = entries
    .filter(({ path }) => !isNever(path))
    .map((entry) => ({ path: entry.path, entry: { ...entry, path: prefix + entry.path } }));
  const collection = { ...collectionOf(files.map(({ entry }) => entry)), files };
  return { groups: split(collection, context.rules, () => true), packages };
}

/** Installs the dependencies, and emits the progress. @throws what the installation throws */
export function runInstallation(
  installation: Installation,
  workDirectory: string,
  session: Session,
  signal = session.signal,
): Promise<InstalledFiles> {
  const { cache, environment, offline, insecureRegistries, emit } = session;
  const total = installation.packages.length;
  return session.times.measure("install", () =>
    installation.install({
      ...{ cache, environment, offline, insecureRegistries, signal, onEvent: emit, workDirectory },
      onProgress: (progress) => emit({ type: "install-progress", ...progress, total }),
    }),
  );
}

interface Installed {
  readonly groups: readonly Group[];
  readonly packages: readonly InstalledPackage[];
}

function reported(
  { way, lockFile, packages }: Pick<Installation, "way" | "lockFile" | "packages">,
  how: BuiltDependencies["how"],
  { emit }: Session,
): BuiltDependencies {
  emit({ type: "dependencies-ready", way, lockFile, how, packages });
  return { way, lockFile, how, packages };
}
