import { loadOnce } from "../../../async/single-flight.ts";
import { type Base, parseBase, pullBase } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { neededStages } from "../../../dockerfile/plan.ts";
import type { FileTree } from "../../../dockerfile/trees.ts";
import { platformOf, satisfies } from "../../../oci/platform.ts";
import { parseSource } from "../../../session/image-location.ts";
import { pull } from "../../../session/pull.ts";
import type { Session } from "../../../session/session.ts";
import { readImageFiles } from "../composition/image-files.ts";
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
