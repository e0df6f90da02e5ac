import { allOrAbort } from "../../async/concurrency.ts";
import type { RepositoryName } from "../../aws/ecr/names.ts";
import { ensureRepository } from "../../aws/ecr/repositories.ts";
import { type Base, pullBase } from "../../base/base.ts";
import type { DetectedBase } from "../../lambda/detect-base.ts";
import { type Encoder, encoderOf } from "../../layer/encode/encoder.ts";
import { split } from "../../layer/split.ts";
import { lintFiles, rejectErrors } from "../../lint/lint-build.ts";
import type { Digest } from "../../oci/digest.ts";
import { type Image, sizeOf } from "../../oci/image.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import { formatPlatform } from "../../oci/platform.ts";
import type { Growing } from "../../oci/store.ts";
import { formatName, type Target } from "../../session/image-location.ts";
import { Session } from "../../session/session.ts";
import { withAws } from "../aws.ts";
import { foundIn, warnOfNoEffect, warnOfUnbroken } from "../options/no-effect.ts";
import { pushImage, pushToNewRepository } from "../push/push.ts";
import { type Destination, layerReports, type PushResult, statsOf } from "../push/result.ts";
import { settleBase } from "./base/detected-base.ts";
import { bundleSource } from "./bundle/bundle.ts";
import { targetOf } from "./collect.ts";
import { collectSource } from "./collect-source.ts";
import { type CommandPlan, rejectSecrets, resolveCommand } from "./command.ts";
import { composeImage } from "./compose.ts";
import { arrangeGroups } from "./composition/parts.ts";
import {
  type BuiltDependencies,
  listDependencies,
  planDependencies,
  rememberDependencies,
  resolveDependencies,
  warnOfInstalled,
} from "./install.ts";
import type { BuiltLayer, LayerContext } from "./layers/built-layer.ts";
import { buildLayers, findUntouched, signaturesOf } from "./layers/layers.ts";
import { openPrevious } from "./layers/previous.ts";
import { BUILD_OPTIONS, type BuildOptions } from "./options.ts";
import { type BuildPlan, parseBuildOptions } from "./plan.ts";

export interface BuildResult extends PushResult {
  /**
   * The base that was used; `scratch` has no digest. `reason`: why it was chosen, if it was not
   * named.
   */
  readonly base: { readonly reference: string; readonly digest?: Digest; readonly reason?: string };
  /**
   * The deflate library of the layers packed in this build: pako where zlib's bytes differ from
   * those of Node's releases, as in Bun and Deno. The digest does not depend on it.
   */
  readonly encoder?: Encoder;
  /** The handler in CMD, given or found. Absent if the base's CMD is kept. */
  readonly handler?: string;
  /** The packages in the image; only with `install`. */
  readonly dependencies?: BuiltDependencies;
}

/**
 * Builds an image from a source directory and pushes it to its destinations. The same directory on
 * the same base gives the same digest on every machine.
 * @throws {@link LambdaPackError}; then no destination has the image, and no file is half-written
 */
export async function build(options: BuildOptions): Promise<BuildResult> {
  const plan = parseBuildOptions(options);
  return Session.run(plan.session, async (session) => {
    const built = await buildImage(plan, session);
    if (plan.dryRun) listDependencies(built, session);
    const destinations = await publishImage(built, plan, session);
    return { ...imageResultOf(built, plan, destinations), stats: statsOf(built.layers, session) };
  });
}

/**
 * Pushes the image to its destinations, unless it is a dry run. Creates missing repositories first.
 */
export async function publishImage(
  { image }: BuiltImage,
  { dryRun, repositories, destinations }: BuildPlan,
  session: Session,
): Promise<readonly Destination[]> {
  if (dryRun) return [];
  if (repositories.length === 0) return pushImage(image, destinations, session);
  await createRepositories(repositories, session);
  return pushToNewRepository(() => pushImage(image, destinations, session), session);
}

/** A built image with its base and the layers that were added. */
export interface BuiltImage {
  readonly base: Base;
  /** undefined: the base was named. */
  readonly detected: DetectedBase | undefined;
  readonly image: Image;
  readonly layers: readonly BuiltLayer[];
  /** CMD, if it is one word and not the base's. */
  readonly handler: string | undefined;
  readonly dependencies: BuiltDependencies | undefined;
  /** The deflate library of the packed layers; undefined if none was packed. */
  readonly encoder?: Encoder | undefined;
}

/** Runs all steps of a build except the push. @throws {@link LambdaPackError} */
export async function buildImage(given: BuildPlan, session: Session): Promise<BuiltImage> {
  const { plan: settled, detected } = await settleBase(given, session);
  const base = await pullBase(settled.base, session);
  const plan = await bundleSource(settled, base, session);
  const scannedAtMs = Date.now();
  const toInstall = await planDependencies(plan, base, session);
  const { installation, source } = toInstall;
  const collected = await collectSource({ ...plan, source }, base, session);
  warnOfInstalled(toInstall, collected.files, session);
  const unneeded = await rejectSecrets(collected, plan.allowSecrets);
  const taskRoot = targetOf(source, base.image);
  const command = await resolveCommand(collected.command, base, { ...collected, taskRoot });
  const isServer = plan.composition.webAdapter !== undefined;
  const handler = command.cmd?.length === 1 && !isServer ? command.cmd[0] : undefined;
  if (handler !== undefined) emitHandler(handler, collected.command, session);
  const compose = (layers: readonly BuiltLayer[]) => composeImage(collected.image, base, command.cmd, layers);

  const context = layerContext(plan, base, scannedAtMs, session);
  const dependencies = await resolveDependencies(installation, taskRoot, context);
  const reusedLayers = dependencies.layers.length;
  const own = arrangeGroups(command.parts, split(command.files, plan.layers.rules));
  const groups = [...dependencies.groups, ...own];
  const installs = installation !== undefined;
  const found = foundIn(collected.files, plan.layers.rules, groups, { unneeded, installs });
  warnOfNoEffect(BUILD_OPTIONS, plan.given, { ...plan.run, found }, session.emit);
  const signatures = await signaturesOf(groups, context);
  const untouched = await findUntouched(groups, signatures, context);
  const isKnown = untouched.size === groups.length;
  const known = isKnown ? compose([...dependencies.layers, ...untouched.values()]) : undefined;
  const [made, lint] = await allOrAbort(session.signal, (signal) => [
    buildLayers(groups, signatures, untouched, { ...context, signal }),
    lintFiles(plan.lint, { base, groups, reusedLayers, bare: compose([]), known }, session, signal),
  ]);
  const layers = [...dependencies.layers, ...(await rememberDependencies(dependencies, made, session))];
  const image = compose(layers);
  session.emit({
    type: "image-composed",
    digest: image.manifest.descriptor.digest,
    layers: image.layers.length,
    size: sizeOf(image),
  });
  const { findings, unbroken } = await lint(image);
  rejectErrors(findings, session);
  warnOfUnbroken(unbroken, plan.given, session.emit);
  if ("reuseFrom" in plan.given) context.previous.warnIfUnused();
  const hasPacked = made.some(({ how }) => how === "built");
  const encoder = hasPacked ? encoderOf(plan.layers.level) : undefined;
  return { base, detected, image, layers, handler, dependencies: dependencies.report, encoder };
}

function emitHandler(handler: string, plan: CommandPlan, session: Session): void {
  const isGiven = plan.handler !== undefined || plan.cmd !== undefined;
  session.emit({ type: "handler-found", handler, isGiven });
}

function layerContext(plan: BuildPlan, base: Base, scannedAtMs: number, session: Session): LayerContext {
  const { destinations, dryRun, layers, reuse } = plan;
  const { image } = base;
  const platform = image.settings;
  const { level } = layers;
  return {
    ...layers,
    mediaType: MEDIA_TYPES[image.family].layer,
    scannedAtMs,
    previous: openPrevious({ plan: reuse, destinations, platform, isPushed: !dryRun, level, session }),
    session,
    signal: session.signal,
    onGrowing: dryRun ? () => undefined : sendAhead(destinations, session),
  };
}

/**
 * Uploads layers to the registries while they are packed. They are not visible before the manifest
 * is pushed.
 */
function sendAhead(destinations: readonly Target[], session: Session): (growing: Growing) => void {
  const sinks = destinations.flatMap(({ location }) =>
    location.kind === "registry" ? [session.sink(location)] : [],
  );
  return (growing) => {
    for (const sink of sinks) sink.sendAhead?.(growing, session.signal);
  };
}

/** Returns the result of a build for one image, without the statistics of the whole run. */
export function imageResultOf(
  { base, detected, image, layers, handler, dependencies, encoder }: BuiltImage,
  plan: BuildPlan,
  destinations: readonly Destination[],
): Omit<BuildResult, "stats"> {
  const { digest } = image.manifest.descriptor;
  const [planned] = plan.destinations;
  return {
    digest,
    reference: planned ? `${formatName(planned.location)}@${digest}` : digest,
    destinations,
    platform: formatPlatform(image.settings),
    base: {
      reference: base.reference,
      ...(base.digest && { digest: base.digest }),
      ...(detected && { reason: detected.reason }),
    },
    ...(handler !== undefined && { handler }),
    ...(dependencies && { dependencies }),
    layers: layerReports(image, layers),
    ...(encoder && { encoder }),
  };
}

async function createRepositories(names: readonly RepositoryName[], session: Session): Promise<void> {
  const { environment, emit: onEvent, signal } = session;
  await withAws({ environment, onEvent, signal }, async (api) => {
    for (const name of names) {
      const { facts, created } = await ensureRepository(api, name, {});
      onEvent({ type: "repository-ready", uri: facts.uri, created });
    }
  });
}
