import type { StoredImage } from "../aws/ecr/images.ts";
import type { Owners } from "../aws/ecr/owners.ts";
import type { Digest } from "../oci/digest.ts";
import { isIndexType } from "../oci/media-types.ts";

/** What a prune deletes and what stays. An image counts once, with all that belongs to it. */
export interface PrunePlan {
  /** Images that go. */
  readonly unused: readonly StoredImage[];
  /** What belongs to these and to nothing that stays; an owner comes before what belongs to it. */
  readonly attached: readonly StoredImage[];
  /** How many images functions use. */
  readonly inUse: number;
  /** How many other images stay. */
  readonly kept: number;
  /** What belongs to images that the repository does not have; it stays. */
  readonly stray: readonly StoredImage[];
}

/**
 * Decides from the whole list, the newest first. An image that a function uses, or of which it uses
 * a part, stays with all that belongs to it, and so do the `keep` newest of the others. What could
 * not be read stays, and where that may be an index, images without a tag stay, as they may be its
 * children.
 */
export function planPrune(
  images: readonly StoredImage[],
  { owners, unread }: Owners,
  used: ReadonlySet<Digest>,
  keep: number,
): PrunePlan {
  const ownersOf = ({ digest }: StoredImage) => owners.get(digest) ?? new Set<string>();
  const roots = images.filter((image) => ownersOf(image).size === 0);
  const dependents = dependentsOf(images, ownersOf);
  const groups = new Map(roots.map((root) => [root, groupOf(root, dependents)]));
  const isInUse = (root: StoredImage) => groups.get(root)?.some(({ digest }) => used.has(digest));
  const hasUnreadIndex = images.some(
    ({ digest, mediaType = "" }) => unread.has(digest) && isIndexType(mediaType),
  );
  const isKnown = (root: StoredImage) =>
    Number.isFinite(root.pushedAtMs) &&
    !groups.get(root)?.some(({ digest }) => unread.has(digest)) &&
    (!hasUnreadIndex || root.tags.length > 0);
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

/** By the digest of an owner, what belongs to it. */
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

/** The image and all that belongs to it, also indirectly. */
function groupOf(
  root: StoredImage,
  dependents: ReadonlyMap<string, readonly StoredImage[]>,
): readonly StoredImage[] {
  const group = new Set([root]);
  // A set is visited with what is added to it on the way.
  for (const { digest } of group) for (const one of dependents.get(digest) ?? []) group.add(one);
  return [...group];
}

/** What belongs only to images that go: it goes as well, after its owners. */
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
