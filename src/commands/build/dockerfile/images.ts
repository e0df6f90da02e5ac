import { join } from "node:path";
import { loadOnce } from "../../../async/single-flight.ts";
import { type Base, parseBase, pullBase } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { neededStages } from "../../../dockerfile/plan.ts";
import { type FileTree, imageTree } from "../../../dockerfile/trees.ts";
import type { BaseFacts } from "../../../lambda/bases.ts";
import type { Image } from "../../../oci/image.ts";
import { platformOf, satisfies } from "../../../oci/platform.ts";
import { type ExtractedFiles, extractFiles } from "../../../rootfs/unpack/extract-files.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { parseSource } from "../../../session/image-location.ts";
import { pull } from "../../../session/pull.ts";
import type { Session } from "../../../session/session.ts";
import { linkTarget } from "../../../tar/layer-entry.ts";
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

/**
 * Directories of every Linux image. In an image that is only a system, all paths begin with these.
 */
const SYSTEM = new Set([
  ...["bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"],
  ...["sbin", "srv", "sys", "tmp", "usr", "usr/bin", "usr/include", "usr/lib", "usr/local", "usr/local/bin"],
  ...["usr/local/lib", "usr/local/sbin", "usr/local/share", "usr/sbin", "usr/share", "var", "var/cache"],
  ...["var/lib", "var/log", "var/run", "var/tmp"],
]);

const AWS = new Set(["var/task", "var/runtime", "var/lang", "var/lang/bin", "var/lang/lib"]);

/** Images of a system and a language, with no files outside the directories above. */
const PLAIN_IMAGES =
  /^(?:docker\.io\/library|public\.ecr\.aws\/docker\/library)\/(?:alpine|amazonlinux|busybox|debian|fedora|node|python|ruby|ubuntu)[:@]|^public\.ecr\.aws\/amazonlinux\//;

/** Facts about a base that do not require reading its layers. */
interface KnownBase {
  /** The full reference; `scratch` has no files. */
  readonly reference: string;
  readonly facts: BaseFacts | undefined;
  readonly workingDirectory: string;
}

/**
 * Returns whether the base has a directory at an absolute path; undefined if its layers must be
 * read to know.
 */
export function hasDirectory(base: KnownBase, path: string): boolean | undefined {
  const relative = path.slice(1);
  if (relative === "" || path === base.workingDirectory) return true;
  if (base.reference === "scratch") return false;
  if (SYSTEM.has(relative) || (base.facts && AWS.has(relative))) return true;
  return mayHave(base, relative) ? undefined : false;
}

/** Returns whether the base may have files at or below a path, given without a leading slash. */
function mayHave({ reference, facts }: KnownBase, path: string): boolean {
  if (reference === "scratch") return false;
  if (facts && /^(?:opt|var\/task)(?:\/|$)/.test(path)) return false;
  const [first = ""] = path.split("/");
  return (!facts && !PLAIN_IMAGES.test(reference)) || first === "" || SYSTEM.has(first);
}

/**
 * Returns the directory in which the base's Python looks for packages; undefined if it is unknown.
 */
export function sitePackages({ facts }: KnownBase, env: readonly string[]): string | undefined {
  if (facts?.repository === "python") return `/var/lang/lib/python${facts.tag}/site-packages`;
  // Docker's official images of Python set this variable.
  const version = env
    .map((line) => /^PYTHON_VERSION=(\d+\.\d+)/.exec(line)?.[1])
    .find((one) => one !== undefined);
  return version === undefined ? undefined : `/usr/local/lib/python${version}/site-packages`;
}
