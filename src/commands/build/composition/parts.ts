import type { Collection, SourceFile } from "../../../layer/collect.ts";
import { parseTarget } from "../../../layer/source-root.ts";
import { type Group, groupOf } from "../../../layer/split.ts";
import { within } from "../../../lint/facts.ts";
import { parentOf } from "../../../tar/entry.ts";
import { placeBehindLinks } from "../base/base-links.ts";
import { copyFromImage } from "./copy.ts";
import { addLambdaLayer } from "./lambda-layer.ts";
import { addDirectory, addExtension, type Part, type PartContext, refusePart } from "./part.ts";
import type { CompositionPlan } from "./plan.ts";

/** The parts of an image, in the order of their layers. */
export interface Parts {
  /** Layers below the files of the source directory. */
  readonly below: readonly Part[];
  /** Layers between the dependencies and the app: other directories, which change as often. */
  readonly beside: readonly Part[];
}

/**
 * Collects the parts without packing them, and places their files behind the links of the base.
 * @throws COMPOSITION_REFUSED, and what collecting directories, pulling images and reading zips
 * throws
 */
export async function collectParts(plan: CompositionPlan, context: PartContext): Promise<Parts> {
  const below: Part[] = [];
  const add = async (making: Promise<Part>) => below.push(await finished(making, context));
  for (const copy of plan.copies) await add(copyFromImage(copy, directoriesOf(below), context));
  for (const layer of plan.lambdaLayers) await add(addLambdaLayer(layer, context));
  if (plan.webAdapter) await add(copyFromImage(plan.webAdapter, new Set(), context));
  for (const directory of plan.extensions) await add(addExtension(directory, context));
  const beside: Part[] = [];
  for (const directory of plan.directories)
    beside.push(await finished(addDirectory(directory, context), context));
  return { below, beside };
}

/** Directories for applications, in which no base has links. */
const PLACES_FOR_APPS = /^(?:opt|var\/task)(?:\/|$)/;

async function finished(making: Promise<Part>, { base, taskRoot, session }: PartContext): Promise<Part> {
  const { name, files } = await making;
  const mayBeLinked = (path: string) => path !== "" && !PLACES_FOR_APPS.test(path);
  // For AWS's bases it is known which directories are links.
  const placed = await placeBehindLinks(
    files,
    base.image,
    session.signal,
    base.facts ? undefined : mayBeLinked,
  );
  const root = parseTarget(taskRoot);
  // Paths relative to the task root, like those of the source directory.
  const named = placed.files.map(({ entry }) => ({ path: within(root, entry.path) ?? entry.path, entry }));
  return { name, files: { ...placed, files: named } };
}

function directoriesOf(parts: readonly Part[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { files } of parts)
    for (const { entry } of files.files)
      for (
        let path = entry.kind === "directory" ? entry.path : parentOf(entry.path);
        path !== "";
        path = parentOf(path)
      )
        found.add(`/${path}`);
  return found;
}

export function collectionsOf({ below, beside }: Parts): readonly Collection[] {
  return [...below, ...beside].map(({ files }) => files);
}

export function mapParts({ below, beside }: Parts, change: (files: Collection) => Collection): Parts {
  const changed = (parts: readonly Part[]) => parts.map((part) => ({ ...part, files: change(part.files) }));
  return { below: changed(below), beside: changed(beside) };
}

/**
 * Returns the files of parts in the task root, by their paths in it, because the handler can be
 * among them.
 */
export function partsOfApp({ below, beside }: Parts, taskRoot: string): readonly SourceFile[] {
  const root = parseTarget(taskRoot);
  return [...below, ...beside].flatMap(({ files }) =>
    files.files.filter(({ entry }) => within(root, entry.path) !== undefined),
  );
}

/**
 * Returns the groups of the image's own layers in order: parts, dependencies, other directories,
 * the app. `own`: the groups of the source directory.
 */
export function arrangeGroups({ below, beside }: Parts, own: readonly Group[]): readonly Group[] {
  const groupsOf = (parts: readonly Part[]) =>
    parts.map(({ name, files }) => groupOf({ name, files: files.files }, files));
  return [...groupsOf(below), ...own.slice(0, -1), ...groupsOf(beside), ...own.slice(-1)];
}

/**
 * Refuses a file where a lower layer has a directory, and a path below a file or link of a lower
 * layer: the upper layer would hide the lower one.
 * @throws COMPOSITION_REFUSED that names both
 */
export function refuseCollisions({ below, beside }: Parts, app: Collection): void {
  if (below.length + beside.length === 0) return;
  const kinds: Kinds = new Map();
  for (const { name, files } of [...below, ...beside, { name: "app", files: app }]) {
    for (const { entry } of files.files) refuseCollision(entry, name, kinds);
    for (const { entry } of files.files) note(entry, name, kinds);
  }
}

type Placed = SourceFile["entry"];
type Kinds = Map<string, { readonly kind: string; readonly layer: string }>;

function refuseCollision({ path, kind }: Placed, layer: string, kinds: Kinds): void {
  const lower = kinds.get(path);
  if (lower && (lower.kind === "directory") !== (kind === "directory"))
    throw collision(path, kind, layer, lower);
  for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
    const found = kinds.get(above);
    if (found && found.kind !== "directory") throw collision(above, "directory", layer, found);
  }
}

function note({ path, kind }: Placed, layer: string, kinds: Kinds): void {
  kinds.set(path, { kind, layer });
  for (let above = parentOf(path); above !== "" && !kinds.has(above); above = parentOf(above))
    kinds.set(above, { kind: "directory", layer });
}

const NAMES: Readonly<Record<string, string>> = { symlink: "link", hardlink: "link" };

function collision(path: string, kind: string, layer: string, lower: { kind: string; layer: string }) {
  return refusePart(
    `/${path} is a ${NAMES[kind] ?? kind} in the layer "${layer}" and a ${NAMES[lower.kind] ?? lower.kind} in "${lower.layer}" below it`,
    "name another target, or leave one of the two out",
  );
}
