import type { StoredImage } from "../aws/ecr/images.ts";
import type { Owners } from "../aws/ecr/owners.ts";
import type { Digest } from "../oci/digest.ts";
import { isIndexType } from "../oci/media-types.ts";

/**
 * The images that a prune deletes and keeps. An image counts once, with everything that belongs to
 * it.
 */
export interface PrunePlan {
  /** The images to delete. */
  readonly unused: readonly StoredImage[];
  /** Manifests that belong only to these; an owner comes before its dependents. */
  readonly attached: readonly StoredImage[];
  /** The number of images that functions use. */
  readonly inUse: number;
  /** The number of other images that stay. */
  readonly kept: number;
  /** Manifests of images that the repository does not have; they stay. */
  readonly stray: readonly StoredImage[];
}

/**
 * Decides what to delete from the complete list, newest first. An image stays with everything that
 * belongs to it if a function uses any part of it, or if it is among the `keep` newest of the
 * others. Images that could not be read stay; if one of them may be an index, so do all images
 * without a tag, which could belong to it.
 */
export function planPrune(
  images: readonly StoredImage[],
  { owners, unreadable }: Owners,
  used: ReadonlySet<Digest>,
  keep: number,
): PrunePlan {
  const ownersOf = ({ digest }: StoredImage) => owners.get(digest) ?? new Set<string>();
  const roots = images.filter((image) => ownersOf(image).size === 0);
  const dependents = dependentsOf(images, ownersOf);
  const groups = new Map(roots.map((root) => [root, groupOf(root, dependents)]));
  const isInUse = (root: StoredImage) => groups.get(root)?.some(({ digest }) => used.has(digest));
  const hasUnreadableIndex = images.some(
    ({ digest, mediaType = "" }) => unreadable.has(digest) && isIndexType(mediaType),
  );
  const isKnown = (root: StoredImage) =>
    Number.isFinite(root.pushedAtMs) &&
    !groups.get(root)?.some(({ digest }) => unreadable.has(digest)) &&
    (!hasUnreadableIndex || root.tags.length > 0);
  const idle = roots.filter((root) => !isInUse(root));
  const unused = idle.filter(isKnown).slice(keep);
  const reached = new Set([...groups.values()].flat());
  return {
    unused,
    attached: attachedTo(unused, dependents, ownersOf),
    inUse: roots.length - idle.length,
    kept: idle.length - unused.length,
    stray: images.filter((image) => !reached.has(image)),
  };
}

/** Returns the dependents of each owner, by the owner's digest. */
function dependentsOf(
  images: readonly StoredImage[],
  ownersOf: (image: StoredImage) => ReadonlySet<string>,
): ReadonlyMap<string, readonly StoredImage[]> {
  const found = new Map<string, StoredImage[]>();
  for (const image of images)
    for (const owner of ownersOf(image)) {
      const known = found.get(owner);
      if (known) known.push(image);
      else found.set(owner, [image]);
    }
  return found;
}

/** Returns the image and everything that belongs to it, also indirectly. */
function groupOf(
  root: StoredImage,
  dependents: ReadonlyMap<string, readonly StoredImage[]>,
): readonly StoredImage[] {
  const group = new Set([root]);
  // The iteration of a Set includes items that are added during it.
  for (const { digest } of group) for (const one of dependents.get(digest) ?? []) group.add(one);
  return [...group];
}

/**
 * Returns the manifests that belong only to deleted images, in the order in which to delete them.
 */
function attachedTo(
  unused: readonly StoredImage[],
  dependents: ReadonlyMap<string, readonly StoredImage[]>,
  ownersOf: (image: StoredImage) => ReadonlySet<string>,
): readonly StoredImage[] {
  const going = new Set<string>();
  const order = [...unused];
  for (const { digest } of order) {
    going.add(digest);
    for (const one of dependents.get(digest) ?? [])
      if ([...ownersOf(one)].every((owner) => going.has(owner))) order.push(one);
  }
  return order.slice(unused.length);
}
