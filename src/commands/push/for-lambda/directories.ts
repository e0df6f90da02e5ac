import { LambdaPackError } from "../../../errors.ts";
import type { MergedView } from "../../../rootfs/view/merged-view.ts";
import { type DirectoryEntry, parentOf, sortByName, TAR_BLOCK, tarName } from "../../../tar/entry.ts";
import type { HeaderRange, LayerEntry, LayerVisitor } from "../../../tar/layer-entry.ts";
import { extendedHeader, writeHeader } from "../../../tar/write-header.ts";

interface Missing {
  readonly entry: DirectoryEntry;
  readonly mtime: Date;
}

/** The changes by which Lambda can unpack a tar. */
export interface DirectoryPlan {
  /** The paths of added directories, parents first. */
  readonly added: readonly string[];
  /** The headers of these directories, which are written first. */
  readonly headers: Buffer;
  /**
   * Ranges of bytes to leave out: the late entries of directories that are now added at the start.
   */
  readonly cuts: readonly HeaderRange[];
}

/**
 * Finds the directories of one layer that Lambda would miss: each needs an entry before its
 * content.
 */
export class DirectoryWatch {
  readonly #layer: number;
  readonly #view: MergedView;
  readonly #seen = new Set<string>();
  readonly #missing = new Map<string, Missing>();
  readonly #cuts: HeaderRange[] = [];

  /**
   * @param view the merged view of the layers below, to which the entries of this layer are added
   */
  constructor(layer: number, view: MergedView) {
    this.#layer = layer;
    this.#view = view;
  }

  visitor(): LayerVisitor {
    return {
      enter: (entry, headers) => {
        if (entry.path !== undefined && entry.path !== "") this.#enter(entry, entry.path, headers);
        return undefined;
      },
    };
  }

  plan(): DirectoryPlan {
    const missing = sortByName(this.#missing.values(), ({ entry }) => tarName(entry));
    return {
      added: missing.map(({ entry }) => entry.path),
      headers: Buffer.concat(missing.map(headerOf)),
      cuts: this.#cuts,
    };
  }

  #enter(entry: LayerEntry, path: string, headers: HeaderRange): void {
    const { kind, mode, mtime } = entry;
    for (let above = parentOf(path); above !== "" && !this.#seen.has(above); above = parentOf(above))
      if (!this.#missing.has(above)) this.#missing.set(above, this.#missingAt(above, mtime));
    if (kind === "directory" && this.#missing.has(path)) {
      this.#missing.set(path, { entry: { kind, path, mode }, mtime: new Date(mtime * 1000) });
      this.#cuts.push(headers);
    } else this.#seen.add(path);
    this.#view.add(this.#layer, entry, path);
  }

  /**
   * Returns the directory as it is in the layers below.
   * @throws IMAGE_UNSUPPORTED if it is a link there: a directory would replace the link
   */
  #missingAt(path: string, mtime: number): Missing {
    const below = this.#view.get(path);
    if (below && below.kind !== "directory")
      throw new LambdaPackError(
        "IMAGE_UNSUPPORTED",
        `layer ${this.#layer + 1} has files below /${path}, which is a ${below.kind} in a layer below it`,
        { hint: `copy the files to where /${path} leads, and build the image again` },
      );
    return {
      entry: { kind: "directory", path, mode: below?.mode ?? 0o755 },
      mtime: new Date(mtime * 1000),
    };
  }
}

function headerOf({ entry, mtime }: Missing): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  return writeHeader(block, 0, entry, mtime) ? block : extendedHeader(entry, mtime);
}

/** Yields the tar with the headers before it and without the cuts. */
export async function* applyPlan(
  tar: AsyncIterable<Uint8Array>,
  { headers, cuts }: DirectoryPlan,
): AsyncGenerator<Uint8Array, void, void> {
  if (headers.length > 0) yield headers;
  let at = 0;
  let next = 0;
  for await (const chunk of tar) {
    while ((cuts[next]?.to ?? Number.POSITIVE_INFINITY) <= at) next++;
    yield* kept(chunk, at, cuts, next);
    at += chunk.length;
  }
}

/**
 * Yields the parts of a chunk that are not cut. The chunk begins at byte `at` of the tar; `next` is
 * the first cut that ends after it.
 */
function* kept(
  chunk: Uint8Array,
  at: number,
  cuts: readonly HeaderRange[],
  next: number,
): Generator<Uint8Array, void, void> {
  let from = 0;
  for (let index = next; from < chunk.length; index++) {
    const cut = cuts[index];
    if (!cut || cut.from >= at + chunk.length) break;
    if (cut.from > at + from) yield chunk.subarray(from, cut.from - at);
    from = Math.min(chunk.length, cut.to - at);
  }
  if (from < chunk.length) yield chunk.subarray(from);
}
