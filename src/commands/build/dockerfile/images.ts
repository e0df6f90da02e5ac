import { join } from "node:path";
import { loadOnce } from "../../../async/single-flight.ts";
import { type Base, parseBase, pullBase } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { neededStages } from "../../../dockerfile/plan.ts";
import { type FileTree, imageTree } from "../../../dockerfile/trees.ts";
import type { Image } from "../../../oci/image.ts";
import { platformOf, satisfies } from "../../../oci/platform.ts";
import { type ExtractedFiles, extractFiles } from "../../../rootfs/unpack/extract-files.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { parseSource } from "../../../session/image-location.ts";
import { pull } from "../../../session/pull.ts";
import type { Session } from "../../../session/session.ts";
import { linkTarget } from "../../../tar/layer-entry.ts";
import { type KnownBase, mayHave } from "./known-files.ts";
import { type DockerfileSource, dockerReference, stageArchitecture } from "./source.ts";

interface ImagesContext {
  /** The pulled base of the image. */
  readonly base: Base;
  readonly lock: LockPlan;
  readonly session: Session;
}

/** Pulls the bases of all stages that are needed, without reading their layers. */
export async function openBases(source: DockerfileSource, context: ImagesContext): Promise<BaseImages> {
  const { base, lock, session } = context;
  const bases = new Map<string, Base>();
  for (const stage of neededStages(source.dockerfile, source.stage)) {
    if (stage.base.kind !== "image" || bases.has(stage.base.reference)) continue;
    const { reference } = stage.base;
    const own = stageArchitecture(stage);
    const platform = own ? platformOf(own) : base.image.settings;
    const isOfImage = dockerReference(reference) === source.base && satisfies(base.image.settings, platform);
    const plan = { source: parseBase(dockerReference(reference), session.environment), platform, lock };
    bases.set(reference, isOfImage ? base : await pullBase({ ...plan, family: undefined }, session));
  }
  return new BaseImages(bases, context);
}

/** The images that a Dockerfile names, by reference. */
export class BaseImages {
  readonly #bases: ReadonlyMap<string, Base>;
  readonly #context: ImagesContext;
  /** The files that were read, by reference and paths. */
  readonly #trees = new Map<string, Promise<FileTree>>();

  constructor(bases: ReadonlyMap<string, Base>, context: ImagesContext) {
    this.#bases = bases;
    this.#context = context;
  }

  /** Returns the base of a stage. */
  known(reference: string): Base {
    return this.#bases.get(reference) ?? this.#context.base;
  }

  facts(reference: string): KnownBase {
    const base = this.#bases.get(reference);
    if (!base) return { reference: dockerReference(reference), facts: undefined, workingDirectory: "/" };
    const workingDirectory = base.image.settings.config?.WorkingDir || "/";
    return { reference: base.name ?? base.reference, facts: base.facts, workingDirectory };
  }

  /** Returns the files of an image at and below these paths; undefined if it has none. */
  async files(reference: string, paths: readonly string[]): Promise<FileTree | undefined> {
    const known = this.facts(reference);
    const wanted = paths.filter((path) => mayHave(known, path));
    if (wanted.length === 0) return undefined;
    const key = JSON.stringify([reference, wanted]);
    return loadOnce(this.#trees, key, () => this.#read(reference, wanted));
  }

  async #read(reference: string, paths: readonly string[]): Promise<FileTree> {
    const { base, session } = this.#context;
    const location = parseSource(dockerReference(reference), session.environment);
    const { image } = this.#bases.get(reference) ?? (await pull(location, base.image.settings, session));
    return readImageFiles(image, paths, reference, session);
  }
}

/**
 * Reads the files of an image at and below `paths`, which are relative to its root; "" is the root.
 * Paths behind links and the targets of hard links are read in a second pass over the layers.
 * @param reference the image's name in messages
 * @throws IMAGE_INVALID, IMAGE_UNSUPPORTED, WRITE_FAILED, and what reading throws
 */
export async function readImageFiles(
  image: Image,
  paths: readonly string[],
  reference: string,
  session: Session,
): Promise<FileTree> {
  const extracted = await extract(image, paths, session);
  const more = placesBehindLinks(extracted.view, paths);
  return imageTree(
    more.length === 0 ? extracted : await extract(image, [...paths, ...more], session),
    reference,
  );
}

async function extract(
  { layers }: Image,
  paths: readonly string[],
  session: Session,
): Promise<ExtractedFiles> {
  const file = join(await session.cache.makeWorkDirectory(), "files");
  return extractFiles(layers, { paths, file, signal: session.signal });
}

/**
 * Returns the targets of links in the paths, and of hard links at or below them, that the paths do
 * not include.
 */
function placesBehindLinks(view: MergedView, paths: readonly string[]): readonly string[] {
  const real = paths.map((path) => view.resolve(path)?.path ?? path);
  const wanted = [...paths, ...real];
  const isWanted = (path: string) =>
    paths.some((one) => one === "" || path === one || path.startsWith(`${one}/`));
  const places = new Set(real.filter((path) => !isWanted(path)));
  for (const { path, kind, link } of view.entries()) {
    if (kind !== "hardlink" || !wanted.some((one) => path === one || path.startsWith(`${one}/`))) continue;
    const target = linkTarget("", link);
    if (!isWanted(target)) places.add(target);
  }
  return [...places];
}
