import { setImmediate as breathe } from "node:timers/promises";
import type { Base } from "../base/base.ts";
import type { BaseFacts } from "../lambda/bases.ts";
import { findBase } from "../lambda/bases.ts";
import type { Group } from "../layer/split.ts";
import type { Content } from "../oci/content.ts";
import type { Image, ImageConfig } from "../oci/image.ts";
import type { Architecture } from "../oci/platform.ts";
import { Contents } from "../rootfs/contents.ts";
import { MergedView } from "../rootfs/merged-view.ts";
import { addPlanned, plannedEntry } from "../rootfs/planned-view.ts";
import { type ImageVisitor, scanImage } from "../rootfs/scan-image.ts";
import { findTwins, LEAST_TWIN } from "../rootfs/twins.ts";
import { tarBytes } from "../tar/header.ts";
import { Evidence } from "./evidence.ts";
import { showFile } from "./evidence-on-disk.ts";
import { exactPaths } from "./exact-paths.ts";
import { type ImageFacts, isOwnPath, type LayerFacts } from "./facts.ts";
import { hasClient, startsClient } from "./rules/runtime-client.ts";

/** What is asked of an image, beside what it is. */
export interface Asked {
  readonly architecture?: Architecture | undefined;
  readonly snapstart?: boolean | undefined;
  /** Read the base's layers too. */
  readonly deep?: boolean | undefined;
  /** Files of the source folder that may look like secrets. */
  readonly allowSecrets?: readonly string[] | undefined;
  /** What only advice comes of is not looked for. */
  readonly noAdvice?: boolean;
}

type Known = Pick<ImageFacts, "index" | "manifest" | "settings" | "brokenConfig" | "baseNow">;

/** The facts of an image that exists. Layers below `ownFrom` are read only where `asked.deep` says so. */
export async function factsOfImage(
  known: Known,
  layers: readonly Content[],
  ownFrom: number,
  asked: Asked,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const { settings } = known;
  const evidence = new Evidence(settings, exactPaths(settings));
  const from = asked.deep ? 0 : ownFrom;
  const contents = new Contents(LEAST_TWIN);
  const visitor = evidenceAnd(contents, evidence, (path) => isOwnPath(path, known));
  const { view, layers: scanned } = await scanImage(layers.slice(from), { visitor, signal });
  const facts: readonly LayerFacts[] = layers.map(({ descriptor }, index) => ({
    descriptor,
    diffId: settings.rootfs.diff_ids[index],
    read: index < from ? undefined : scanned[index - from],
  }));
  return {
    ...known,
    ...asOf(asked),
    layers: facts,
    bytes: facts.reduce((sum, layer) => sum + leastBytes(layer), 0),
    files: {
      ...{ view, evidence, whole: from === 0, ownFrom: ownFrom - from },
      twins: findTwins(view, contents, ({ path }) => isOwnPath(path, known)),
    },
    base: baseNamed(settings),
  };
}

/** Both see the image; contents only what is the app's own. */
function evidenceAnd(contents: Contents, evidence: Evidence, isOwn: (path: string) => boolean): ImageVisitor {
  /** Layers of whose last file `evidence` wanted something. */
  const wanted = new Set<number>();
  return {
    enter(entry, path, layer, id) {
      const parts = evidence.enter(entry, path);
      if (parts) wanted.add(layer);
      else wanted.delete(layer);
      const digest = isOwn(path) ? contents.enter(entry, path, layer, id) : undefined;
      return parts ?? digest;
    },
    content: (layer, piece) => contents.content(layer, piece),
    leave(path, layer, size, head, tail) {
      contents.leave(path, layer);
      if (wanted.has(layer)) evidence.leave(path, layer, size, head, tail);
    },
  };
}

/**
 * The facts of an image that is being built: its own files from the disk, and the base's from the table, unless `asked.deep` is set or only they can tell
 * whether there is a runtime interface client. `image` may lack the layers of the groups still.
 */
export async function factsOfBuild(
  base: Base,
  image: Image,
  groups: readonly Group[],
  asked: Asked,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const { settings } = image;
  const evidence = new Evidence(settings, exactPaths(settings), { bytecode: !asked.noAdvice });
  const own = new MergedView();
  const count = base.image.layers.length;
  const planned = await addGroups(own, evidence, groups, count, signal);
  const bytes = base.image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0) + planned;
  const facts: ImageFacts = {
    settings,
    bytes,
    ...asOf(asked),
    layers: layersOf(image),
    files: { view: own, evidence, whole: count === 0, ownFrom: count },
    base: base.facts,
  };
  if (!asked.deep && !(startsClient(facts) && !hasClient(facts))) return facts;
  const { view, layers } = await scanImage(base.image.layers, { visitor: evidence, signal });
  for (const [index, { entries }] of groups.entries()) addPlanned(view, count + index, entries);
  return {
    ...facts,
    layers: layersOf(image, layers),
    files: { view, evidence, whole: true, ownFrom: count },
  };
}

/** Those facts, once the image has all its layers. */
export function withLayers(facts: ImageFacts, image: Image): ImageFacts {
  const read = facts.layers.map((layer) => layer.read);
  return { ...facts, settings: image.settings, layers: layersOf(image, read) };
}

/** `read`: what the lowest of them were found to be. */
function layersOf({ layers }: Image, read: readonly LayerFacts["read"][] = []): readonly LayerFacts[] {
  return layers.map(({ descriptor, diffId }, index) => ({ descriptor, diffId, read: read[index] }));
}

/** In one pass, as all entries are made anew in each. Gives the bytes of the tars: a header for each entry, and contents in whole blocks (POSIX, pax(1)). */
async function addGroups(
  view: MergedView,
  evidence: Evidence,
  groups: readonly Group[],
  first: number,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  for (const [index, { entries }] of groups.entries()) {
    let added = 0;
    for (const entry of entries) {
      if (++added % STRETCH === 0) await breathe();
      signal.throwIfAborted();
      const planned = plannedEntry(entry);
      view.add(first + index, planned, entry.path);
      showFile(evidence, first + index, entry, planned);
      bytes += tarBytes(entry);
    }
  }
  return bytes;
}

/** So many files take less than a millisecond: layers may be packed meanwhile, and must not wait. */
const STRETCH = 64;

function leastBytes({ descriptor, read }: LayerFacts): number {
  return read?.ok ? read.scan.bytes : descriptor.size;
}

function asOf({ architecture, snapstart = false, allowSecrets }: Asked) {
  return { architecture, snapstart, allowedSecrets: allowSecrets, today: new Date() };
}

/** The AWS base that an image says it was built on. */
function baseNamed({ config }: ImageConfig): BaseFacts | undefined {
  const name = config?.Labels?.["org.opencontainers.image.base.name"] ?? "";
  const [, repository = "", tag = ""] = /(?:^|\/)lambda\/([a-z]+):([^@]+)/.exec(name) ?? [];
  return findBase(repository, tag);
}
