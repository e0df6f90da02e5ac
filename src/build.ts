import { basename, join, resolve } from "node:path";
import { type Base, pullBase } from "./base.ts";
import { findCommand, refuseSecrets } from "./command.ts";
import { type Collection, collect } from "./layer/collect.ts";
import { pack } from "./layer/pack.ts";
import { type Group, split } from "./layer/split.ts";
import { compose } from "./oci/compose.ts";
import { type Image, type Layer, sizeOf } from "./oci/image.ts";
import { MEDIA_TYPES } from "./oci/media-types.ts";
import { formatPlatform } from "./oci/platform.ts";
import { type BuildOptions, type BuildResult, DEFAULT_LEVEL } from "./options.ts";
import { parseTargets, send, type Target } from "./push.ts";
import { layerReports, type PackedFacts, statsOf } from "./report.ts";
import { Session } from "./session.ts";
import { timeOf } from "./time.ts";

/** Where Lambda's own bases keep the code. */
const TASK_ROOT = "/var/task";

/** Directories that every base has with modes of their own; an entry of ours must not change them. */
const KNOWN_MODES = new Map([
  ["tmp", 0o1777],
  ["var/tmp", 0o1777],
]);

/**
 * From a source folder to an image at its destinations: pull the base, collect, pack, compose, send.
 * The same folder over the same base gives the same digest, on every machine.
 * @throws {@link LambdaPackError}; then no destination names the image, and nothing is left half-written.
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const targets = parseTargets(options.to ?? defaultDestination(options.directory), options.tags ?? []);
  return Session.run(options, async (session) => {
    const created = timeOf(session.environment);
    const base = await pullBase(options, session);
    const collected = await collectFiles(options, targets, base.image, session);
    await refuseSecrets(options, collected);
    const { cmd, files } = await findCommand(options, base, collected);
    const groups = split(files, options.layers);
    const packed = await packAll(groups, { base: base.image, created, options, session });
    const image = composeImage(base, packed, cmd, created, options);
    session.emit({
      type: "image-composed",
      digest: image.manifest.descriptor.digest,
      layers: image.layers.length,
      size: sizeOf(image),
    });
    const destinations = options.dryRun ? [] : await send(image, targets, session);
    return {
      digest: image.manifest.descriptor.digest,
      reference: destinations[0]?.reference ?? image.manifest.descriptor.digest,
      destinations,
      platform: formatPlatform(image.settings),
      base: { reference: base.reference, ...(base.digest && { digest: base.digest }) },
      layers: layerReports(image, packed),
      stats: statsOf(packed, session),
    };
  });
}

function defaultDestination(directory: string): string {
  return `oci:${join(".lambda-pack", basename(resolve(directory)) || "app")}`;
}

async function collectFiles(
  options: BuildOptions,
  targets: readonly Target[],
  base: Image,
  session: Session,
): Promise<Collection> {
  const { directory, exclude, ignoreFile } = options;
  const output = targets.flatMap(({ endpoint }) =>
    endpoint.kind === "registry" ? [] : [resolve(endpoint.path)],
  );
  const collection = await collect({
    directory,
    exclude,
    ignoreFile,
    target: options.target ?? (base.settings.config?.WorkingDir || TASK_ROOT),
    output: [...output, resolve(directory, ".lambda-pack"), ...[session.cache.directory ?? []].flat()],
    directoryModes: KNOWN_MODES,
    signal: session.signal,
  });
  for (const warning of collection.warnings) session.emit({ type: "warning", ...warning });
  session.emit({ type: "files-collected", directory, files: collection.count, bytes: collection.bytes });
  return collection;
}

interface PackedLayer extends PackedFacts {
  readonly layer: Layer;
}

interface Packing {
  readonly base: Image;
  readonly created: Date;
  readonly options: BuildOptions;
  readonly session: Session;
}

/** One after the other: each already deflates on every core. */
async function packAll(groups: readonly Group[], packing: Packing): Promise<readonly PackedLayer[]> {
  const packed: PackedLayer[] = [];
  for (const group of groups) packed.push(await packGroup(group, packing));
  return packed;
}

async function packGroup(
  { name, entries }: Group,
  { base, created, options, session }: Packing,
): Promise<PackedLayer> {
  const startedAt = performance.now();
  const totalBytes = entries.reduce((sum, entry) => sum + (entry.kind === "file" ? entry.size : 0), 0);
  const { layer, files, bytes } = await pack(entries, {
    spool: session.cache.spool,
    level: options.level ?? DEFAULT_LEVEL,
    mediaType: MEDIA_TYPES[base.family].layer,
    mtime: created,
    signal: session.signal,
    onBytes: (done) => session.emit({ type: "layer-progress", name, bytes: done, totalBytes }),
  });
  const { digest, size } = layer.descriptor;
  const ms = Math.round(performance.now() - startedAt);
  session.emit({ type: "layer-ready", name, digest, size, files, bytes, how: "built", ms });
  return { name, layer, files, bytes, how: "built" };
}

function composeImage(
  base: Base,
  packed: readonly PackedLayer[],
  cmd: readonly string[] | undefined,
  created: Date,
  options: BuildOptions,
): Image {
  return compose(base.image, {
    layers: packed.map(({ name, layer }) => ({ name, layer })),
    family: options.format === "auto" ? undefined : options.format,
    entrypoint: options.entrypoint,
    cmd,
    workingDir: options.workdir,
    env: options.env,
    labels: { ...baseLabels(base), ...options.labels },
    created,
  });
}

/** image-spec annotations.md, as labels: a Docker manifest has no annotations. Where the base was pulled from makes no difference to the digest. */
function baseLabels({ name, digest }: Base): Readonly<Record<string, string>> {
  return {
    ...(name !== undefined && { "org.opencontainers.image.base.name": name }),
    ...(digest && { "org.opencontainers.image.base.digest": digest }),
  };
}
