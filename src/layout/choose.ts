import { LambdaPackError } from "../errors.ts";
import { type Content, contentOf, type Descriptor } from "../oci/content.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import type { IndexEntry } from "../oci/documents.ts";
import { isIndexType, isManifestType, MEDIA_TYPES } from "../oci/media-types.ts";
import type { Open } from "../oci/resolve.ts";
import type { Named } from "../oci/store.ts";
import { tagOf } from "./layout-files.ts";

/** The entries of an `index.json`, and access to their blobs. */
export interface Listing {
  /** As a user would write it. */
  readonly name: string;
  readonly entries: readonly IndexEntry[];
  readonly open: Open;
  /** Finds the blob of a digest that the index does not list, such as the child of an index. */
  readonly find: (digest: Digest) => Promise<Descriptor | undefined>;
}

/**
 * Returns what a tag or digest names, or without `reference` the only image.
 * @throws IMAGE_NOT_FOUND, which lists the tags.
 */
export async function findIn(listing: Listing, reference: string | undefined): Promise<Named> {
  return { top: await chooseTop(listing, reference), open: listing.open, written: true };
}

async function chooseTop(listing: Listing, reference: string | undefined): Promise<Content> {
  const { entries, open } = listing;
  const matching = entries.filter((entry) => matches(entry, reference));
  if (new Set(matching.map(({ digest }) => digest)).size > 1) return severalOf(listing, matching, reference);
  const [first] = matching;
  if (first) return open(first);
  const unlisted = reference !== undefined && isDigest(reference) ? await listing.find(reference) : undefined;
  if (unlisted) return open(unlisted);
  throw notFound(listing, "no image", reference);
}

function matches(entry: IndexEntry, reference: string | undefined): boolean {
  if (reference === undefined) return isManifestType(entry.mediaType) || isIndexType(entry.mediaType);
  return isDigest(reference) ? entry.digest === reference : tagOf(entry) === reference;
}

/**
 * Returns an index of manifests that share one name, which image-layout.md of image-spec allows, if
 * each is for another platform.
 * @throws IMAGE_NOT_FOUND otherwise.
 */
function severalOf(
  listing: Listing,
  matching: readonly IndexEntry[],
  reference: string | undefined,
): Content {
  if (new Set(matching.map(tagOf)).size > 1) throw notFound(listing, "several images", reference);
  const platforms = matching.map(({ platform }) => platform && JSON.stringify(platform));
  if (platforms.includes(undefined) || new Set(platforms).size < platforms.length) {
    throw notFound(listing, "several images", reference);
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.oci.index, manifests: matching };
  return contentOf(MEDIA_TYPES.oci.index, Buffer.from(JSON.stringify(index)));
}

function notFound({ name, entries }: Listing, what: string, reference: string | undefined): LambdaPackError {
  if (entries.length === 0) return new LambdaPackError("IMAGE_NOT_FOUND", `${name} holds no image`);
  const called = reference === undefined ? "" : ` ${reference}`;
  return new LambdaPackError(
    "IMAGE_NOT_FOUND",
    `${name} has ${what}${called}; it holds ${namesOf(entries)}`,
    { hint: `name one of them, for example ${name}${exampleOf(entries)}` },
  );
}

const SHOWN = 10;

function namesOf(entries: readonly IndexEntry[]): string {
  const names = [...new Set(entries.map((entry) => tagOf(entry) ?? entry.digest))];
  const more = names.length - SHOWN;
  return names.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function exampleOf(entries: readonly IndexEntry[]): string {
  const tagged = entries.find((entry) => tagOf(entry) !== undefined);
  return tagged ? `:${tagOf(tagged)}` : `@${entries[0]?.digest}`;
}
