import { setImmediate as yieldToEventLoop } from "node:timers/promises";
import type { Base } from "../base/base.ts";
import { type BaseFacts, findBase } from "../lambda/bases.ts";
import { type FilePart, withFile } from "../lambda/binary/file-part.ts";
import type { Group } from "../layer/split.ts";
import type { Content } from "../oci/content.ts";
import type { Image, ImageConfig } from "../oci/image.ts";
import type { Architecture } from "../oci/platform.ts";
import { Contents, findDuplicates, MIN_DUPLICATE_BYTES } from "../rootfs/contents.ts";
import { type ImageVisitor, scanImage } from "../rootfs/scan-image.ts";
import { addPlanned, MergedView, plannedEntry } from "../rootfs/view/merged-view.ts";
import type { Entry, FileEntry } from "../tar/entry.ts";
import type { LayerEntry, Wanted } from "../tar/layer-entry.ts";
import { tarBytes } from "../tar/write-header.ts";
import { FileContents } from "./contents/file-contents.ts";
import { pathsToRead } from "./contents/files-to-read.ts";
import { type ImageFacts, isOwnPath, type LayerFacts } from "./facts.ts";
import { clientProblems, lacksClient } from "./rules/image/runtime-client.ts";
import { isInterpreterUnread } from "./shebang.ts";

/** The settings of a check, apart from the image. */
interface CheckSettings {
  /** The architecture of the function. */
  readonly architecture?: Architecture | undefined;
  readonly snapstart?: boolean | undefined;
  /** Whether the base's layers are read too. */
  readonly deep?: boolean | undefined;
  /** Rules that the image may break. */
  readonly allow?: readonly string[];
  /** Files of the source directory that are not reported as secrets. */
  readonly allowSecrets?: readonly string[] | undefined;
  /** Whether the user gave `--cmd`: a handler that is not found is then a warning. */
  readonly isCmdUnchecked?: boolean | undefined;
  /** Whether to skip bytecode times, for advice only, and secrets, which a build checks. */
  readonly noAdvice?: boolean;
}

type KnownFacts = Pick<
  ImageFacts,
  "index" | "manifest" | "settings" | "brokenImage" | "brokenConfig" | "baseNow"
>;

/**
 * Reads the layers of an existing image and returns its facts. Layers below index `ownFrom` are
 * read only with `check.deep`, or if a rule cannot judge without them.
 */
export async function factsOfImage(
  known: KnownFacts,
  layers: readonly Content[],
  ownFrom: number,
  check: CheckSettings,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const { settings } = known;
  const contents = new FileContents(settings, pathsToRead(settings));
  const from = check.deep ? 0 : ownFrom;
  const digests = new Contents(MIN_DUPLICATE_BYTES);
  const visitor = visitBoth(contents, digests, (path) => isOwnPath(path, known));
  const { view, layers: scanned } = await scanImage(layers.slice(from), { visitor, signal });
  const layerFacts: readonly LayerFacts[] = layers.map(({ descriptor }, index) => ({
    descriptor,
    diffId: settings.rootfs.diff_ids[index],
    read: index < from ? undefined : scanned[index - from],
  }));
  const facts: ImageFacts = {
    ...known,
    ...settingsOf(check),
    layers: layerFacts,
    bytes: layerFacts.reduce(
      (sum, { descriptor, read }) => sum + (read?.ok ? read.scan.bytes : descriptor.size),
      0,
    ),
    files: {
      ...{ view, contents, whole: from === 0, ownFrom: ownFrom - from },
      duplicates: findDuplicates(view, digests, ({ path }) => isOwnPath(path, known)),
    },
    base: baseNamed(settings),
  };
  const isEnough = from === 0 || (!lacksClient(facts) && clientProblems(facts).length === 0);
  return isEnough ? facts : factsOfImage(known, layers, 0, check, signal);
}

/** Passes every file to `contents`, and the app's own files to `digests` too. */
function visitBoth(
  contents: FileContents,
  digests: Contents,
  isOwn: (path: string) => boolean,
): ImageVisitor {
  /** Layers whose current file `contents` reads. */
  const wanted = new Set<number>();
  return {
    enter(entry, path, layer, id) {
      const parts = contents.enter(entry, path, layer);
      if (parts) wanted.add(layer);
      else wanted.delete(layer);
      const digest = isOwn(path) ? digests.enter(entry, path, layer, id) : undefined;
      return parts ?? digest;
    },
    content: (layer, piece) => digests.content(layer, piece),
    leave(path, layer, size, head, tail) {
      digests.leave(path, layer);
      if (wanted.has(layer)) contents.leave(path, layer, size, head, tail);
    },
  };
}

interface PlannedLayers {
  readonly groups: readonly Group[];
  /** Number of layers between the base's and `groups` whose files are not read. Default 0. */
  readonly reusedLayers?: number;
}

/**
 * Returns the facts of an image that is being built. Reads its own files from disk, and the base's
 * layers only with `check.deep` or if a rule cannot judge without them. `image` may still lack the
 * layers of `groups`.
 */
export async function factsOfBuild(
  base: Base,
  image: Image,
  { groups, reusedLayers = 0 }: PlannedLayers,
  check: CheckSettings,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const { settings } = image;
  const contents = new FileContents(settings, pathsToRead(settings), {
    bytecode: !check.noAdvice,
    secrets: !check.noAdvice,
  });
  const own = new MergedView();
  const count = base.image.layers.length;
  const first = count + reusedLayers;
  const planned = await addGroups(own, contents, groups, first, signal);
  const bytes = base.image.layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0) + planned;
  const facts: ImageFacts = {
    settings,
    bytes,
    ...settingsOf(check),
    layers: layersOf(image),
    files: { view: own, contents, whole: first === 0, ownFrom: count, lacksOwn: reusedLayers > 0 },
    base: base.facts,
  };
  // The client may be in a layer that is not read: then the base's own files prove nothing.
  const mayHaveClient =
    reusedLayers === 0 && !ignoresClient(check) && (lacksClient(facts) || clientProblems(facts).length > 0);
  if (!check.deep && !mayHaveClient && !isInterpreterUnread(facts)) return facts;
  const { view, layers } = await scanImage(base.image.layers, { visitor: contents, signal });
  for (const [index, { entries }] of groups.entries()) addPlanned(view, first + index, entries);
  return {
    ...facts,
    layers: layersOf(image, layers),
    files: {
      ...{ view, contents, whole: reusedLayers === 0 && layers.every(({ ok }) => ok) },
      ...{ ownFrom: count, lacksOwn: reusedLayers > 0 },
    },
  };
}

/** Returns whether the base's layers need not be read for the runtime client, as its rule is allowed. */
export function ignoresClient({ allow = [] }: Pick<CheckSettings, "allow">): boolean {
  return allow.includes("runtime-client");
}

/** Returns `facts` with the settings and layers of the complete image. */
export function withLayers(facts: ImageFacts, image: Image): ImageFacts {
  const read = facts.layers.map((layer) => layer.read);
  return { ...facts, settings: image.settings, layers: layersOf(image, read) };
}

/** Returns the facts of each layer. `read` holds the scans of the lowest layers. */
function layersOf({ layers }: Image, read: readonly LayerFacts["read"][] = []): readonly LayerFacts[] {
  return layers.map(({ descriptor, diffId }, index) => ({ descriptor, diffId, read: read[index] }));
}

/** Adds all entries in one pass, which creates them. Returns the size of the tars in bytes. */
async function addGroups(
  view: MergedView,
  contents: FileContents,
  groups: readonly Group[],
  first: number,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  for (const [index, { entries }] of groups.entries()) {
    let added = 0;
    for (const entry of entries) {
      if (++added % FILES_PER_TURN === 0) await yieldToEventLoop();
      signal.throwIfAborted();
      const planned = plannedEntry(entry);
      view.add(first + index, planned, entry.path);
      addFileOnDisk(contents, first + index, entry, planned);
      bytes += tarBytes(entry);
    }
  }
  return bytes;
}

/** Files between two yields to the event loop (under 1 ms), so that packing is not held up. */
const FILES_PER_TURN = 64;

/** Adds what rules need of a file that will be packed as `planned`; opens few files. */
function addFileOnDisk(contents: FileContents, layer: number, entry: Entry, planned: LayerEntry): void {
  if (entry.kind !== "file" || isFittedBytecode(entry)) return;
  const wanted = contents.enter(planned, entry.path, layer);
  if (!wanted) return;
  // A file that cannot be read is ignored: packing fails on it, with a better message.
  withFile(entry.source, (file) => contents.take(entry.path, layer, only(partOf(file, entry), wanted)));
}

/** Returns whether packing sets the mtime in this bytecode to the layer's. */
function isFittedBytecode({ path, edits = [] }: FileEntry): boolean {
  return edits.length > 0 && path.endsWith(".pyc");
}

/** Limits a file that holds several entries to the bytes of one entry. */
function partOf(file: FilePart, { offset, size }: FileEntry): FilePart {
  if (offset === undefined) return file;
  const isInside = (at: number, length: number) => at >= 0 && at + length <= size;
  return { size, read: (at, length) => (isInside(at, length) ? file.read(offset + at, length) : undefined) };
}

/** Limits a file to the parts that a layer scan reads, so that both give the same findings. */
function only({ size, read }: FilePart, { head, tail = 0 }: Wanted): FilePart {
  const isWanted = (offset: number, length: number) => offset + length <= head || offset >= size - tail;
  return {
    size,
    read: (offset, length) => (isWanted(offset, length) ? read(offset, length) : undefined),
  };
}

function settingsOf({ architecture, snapstart = false, allowSecrets, isCmdUnchecked }: CheckSettings) {
  return { architecture, snapstart, allowedSecrets: allowSecrets, isCmdUnchecked, today: new Date() };
}

function baseNamed({ config }: ImageConfig): BaseFacts | undefined {
  const name = config?.Labels?.["org.opencontainers.image.base.name"] ?? "";
  const [, repository = "", tag = ""] = /(?:^|\/)lambda\/([a-z]+):([^@]+)/.exec(name) ?? [];
  return findBase(repository, tag);
}
