import { basename, join, resolve } from "node:path";
import { allOrAbort } from "../../async/all-or-abort.ts";
import { type Base, pullBase } from "../../base/base.ts";
import { lockPath } from "../../base/lock.ts";
import { snapstartLabel } from "../../lambda/snapstart.ts";
import { type Collection, collect } from "../../layer/collect.ts";
import { type Group, split } from "../../layer/split.ts";
import type { RefuseBroken } from "../../lint/gate.ts";
import { compose } from "../../oci/compose.ts";
import type { Digest } from "../../oci/digest.ts";
import { type Image, sizeOf } from "../../oci/image.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { Growing } from "../../oci/store.ts";
import { type BuildOptions, type BuildResult, DEFAULT_LEVEL } from "../../session/options.ts";
import { Session } from "../../session/session.ts";
import { parseTargets, type Target } from "../../session/target.ts";
import { send } from "../push.ts";
import { layerReports, type PackedFacts, statsOf } from "../report.ts";
import { type MadeLayer, makeLayers } from "./layers.ts";
import type { Making } from "./making.ts";
import { openPrevious } from "./previous.ts";
import { timeOf } from "./time.ts";
import { findUnchanged, inputsOf, rememberUnchanged, type Work } from "./unchanged.ts";

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
  if (options.allow?.length) (await import("../../lint/judgement.ts")).refuseUnknown(options.allow);
  return Session.run(options, async (session) => {
    const { base, image, packed } = await makeImage(options, targets, session);
    if (options.createRepo && !options.dryRun) {
      const { createRepositories } = await import("../create-repositories.ts"); // with all of AWS's API behind it
      await createRepositories(targets, session);
    }
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

/** An image as it was built, and from what. */
export interface Made {
  readonly base: Base;
  readonly image: Image;
  readonly packed: readonly PackedFacts[];
}

/** Everything of a build but the sending. `targets` inside the folder are not part of the image. */
export async function makeImage(
  options: BuildOptions,
  targets: readonly Target[],
  session: Session,
): Promise<Made> {
  const created = timeOf(session.environment);
  const level = options.level ?? DEFAULT_LEVEL;
  const base = await pullBase(options, session);
  const seenAt = Date.now();
  const collected = await collectFiles(options, targets, base.image, session);
  const platform = base.image.settings;
  const previous = openPrevious({ ...options, targets, platform, level, session });
  const { layer: mediaType } = MEDIA_TYPES[base.image.family];
  const onGrowing = options.dryRun ? () => undefined : sendingAhead(targets, session);
  const making = { mediaType, created, level, seenAt, previous, session, onGrowing };
  const work = { options, base, collected, making };
  const inputs = inputsOf(work);
  return (await unchanged(inputs, work)) ?? (await makeAnew(inputs, work));
}

/** The image of last time, where nothing has changed: what was checked then is not checked again, and what checks is not even loaded. */
async function unchanged(inputs: Digest | undefined, work: Work): Promise<Made | undefined> {
  const { options, base, making } = work;
  const groups = async () => (await groupsOf(work)).groups;
  const known = inputs && (await findUnchanged(inputs, groups, making));
  if (!known) return undefined;
  const image = finish(base, known.packed, known.cmd, options, making);
  for (const warning of known.warnings) making.session.emit({ type: "warning", ...warning });
  return { base, image, packed: known.packed };
}

async function makeAnew(inputs: Digest | undefined, work: Work): Promise<Made> {
  const { options, base, collected, making } = work;
  const { refuseSecrets } = await import("./command.ts");
  await refuseSecrets(options, collected);
  const { cmd, groups } = await groupsOf(work);
  const [packed, refuseBroken] = await allOrAbort(making.session.signal, (signal) => [
    makeLayers(groups, making, signal),
    checkAhead(work, cmd, groups, signal),
  ]);
  const image = finish(base, packed, cmd, options, making);
  const warnings = await refuseBroken(image);
  if (inputs) await rememberUnchanged(inputs, { cmd, packed, warnings }, making.session);
  return { base, image, packed };
}

async function checkAhead(
  { options, base, making: { created, session } }: Work,
  cmd: readonly string[] | undefined,
  groups: readonly Group[],
  signal: AbortSignal,
): Promise<RefuseBroken> {
  if (options.check === false) return async () => [];
  const { lookAhead } = await import("../../lint/gate.ts");
  const bare = composeImage(base, [], cmd, created, options);
  return lookAhead(options, base, bare, groups, session, signal);
}

async function groupsOf({ options, base, collected }: Work) {
  const { findCommand } = await import("./command.ts");
  const { cmd, files } = await findCommand(options, base, collected);
  return { cmd, groups: split(files, options.layers) };
}

function finish(
  base: Base,
  packed: readonly MadeLayer[],
  cmd: readonly string[] | undefined,
  options: BuildOptions,
  { created, session }: Making,
): Image {
  const image = composeImage(base, packed, cmd, created, options);
  session.emit({
    type: "image-composed",
    digest: image.manifest.descriptor.digest,
    layers: image.layers.length,
    size: sizeOf(image),
  });
  return image;
}

function defaultDestination(directory: string): string {
  return `oci:${join(".lambda-pack", basename(resolve(directory)) || "app")}`;
}

/** Whatever is packed goes to the registries while it is; what comes of it shows only when the image is sent. */
function sendingAhead(targets: readonly Target[], session: Session): (growing: Growing) => void {
  const registries = targets.flatMap(({ endpoint }) =>
    endpoint.kind === "registry" ? [session.sink(endpoint)] : [],
  );
  return (growing) => {
    for (const sink of registries) sink.sendAhead?.(growing, session.signal);
  };
}

/** What the options leave of the folder. @throws what `collect` throws. */
export async function collectFiles(
  options: BuildOptions,
  targets: readonly Target[],
  base: Image,
  session: Session,
): Promise<Collection> {
  const startedAt = performance.now();
  const { directory, exclude, ignoreFile } = options;
  const output = targets.flatMap(({ endpoint }) =>
    endpoint.kind === "registry" ? [] : [resolve(endpoint.path)],
  );
  const collection = await collect({
    directory,
    exclude,
    ignoreFile,
    target: options.target ?? (base.settings.config?.WorkingDir || TASK_ROOT),
    output: [
      ...output,
      resolve(lockPath(options)),
      resolve(directory, ".lambda-pack"),
      ...[session.cache.directory ?? []].flat(),
    ],
    directoryModes: KNOWN_MODES,
    signal: session.signal,
  });
  session.spend("collect", startedAt);
  for (const warning of collection.warnings) session.emit({ type: "warning", ...warning });
  session.emit({ type: "files-collected", directory, files: collection.count, bytes: collection.bytes });
  return collection;
}

/** The base with layers on it, and what the options say of how it starts. */
export function composeImage(
  base: Base,
  packed: readonly MadeLayer[],
  cmd: readonly string[] | undefined,
  created: Date,
  options: BuildOptions,
): Image {
  return compose(base.image, {
    layers: packed.map(({ name, layer, fingerprint }) => ({ name, layer, fingerprint })),
    family: options.format === "auto" ? undefined : options.format,
    entrypoint: options.entrypoint,
    cmd,
    workingDir: options.workdir,
    env: options.env,
    labels: { ...baseLabels(base), ...snapstartLabel(options, base.facts), ...options.labels },
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
