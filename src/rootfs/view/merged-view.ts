import { pointsTo } from "../../tar/entry-path.ts";
import type { LayerEntry } from "../../tar/layer-entry.ts";
import { type Hidden, HiddenFiles, type LayerTotals, type Replaced } from "./hidden-files.ts";
import { type PathNode, PathTree } from "./path-tree.ts";
import type { HiddenEntry, NumberedPath, ViewEntry } from "./view-entry.ts";

export type { HiddenEntry, NumberedPath, ViewEntry };

const WHITEOUT = ".wh.";
/** image-spec layer.md, "Opaque Whiteout". */
const OPAQUE = ".wh..wh..opq";
/** Linux gives up on a chain of links after as many (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The file system that layers make together (image-spec layer.md, "Applying Changesets"), without
 * unpacking them. Layers may be added at the same time and in any order: of each path the entry of
 * the highest layer is kept, and of each whiteout the highest layer that has it.
 */
export class MergedView {
  readonly #tree = new PathTree();
  readonly #hidden = new HiddenFiles();
  /** Files that lower layers have at a path, too. */
  readonly #replaced = new Map<PathNode, Hidden>();
  readonly root: ViewEntry = { path: "", kind: "directory", mode: 0o755, size: 0, link: "", layer: 0 };

  /** Paths known so far, hidden ones included. */
  get size(): number {
    return this.#tree.size;
  }

  /**
   * Adds an entry whose path is inside the root, and gives the path's number. @throws IMAGE_INVALID
   * for too many.
   */
  add(layer: number, entry: LayerEntry, path: string): number {
    this.#hidden.count(layer, entry);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(WHITEOUT)) return this.#addWhiteout(layer, path, name);
    const node = this.#tree.add(path);
    if (entry.kind !== "directory") node.emptied = Math.max(node.emptied, layer + 1);
    const before = node.layer;
    if (before > layer) this.#replace(node, path, entry, layer, before);
    else {
      if (before >= 0) this.#replace(node, path, node, before, layer);
      node.set(layer, entry);
    }
    return node.id;
  }

  /** Gives the number of a path; undefined where no layer has it. */
  idOf(path: string): number | undefined {
    return this.#tree.find(path)?.id;
  }

  /** Gives what can be seen at the path with this number. */
  at(id: number): ViewEntry | undefined {
    const node = this.#tree.nodes[id];
    return node && isVisible(node) ? entryOf(node, this.#tree.pathOf(node)) : undefined;
  }

  /** Gives the number of the directory of a path; the root's is 0. */
  parentOf(id: number): number {
    return this.#tree.nodes[id]?.parent?.id ?? 0;
  }

  /** Gives what is at `path`; links in it, and at its end, are not followed. */
  get(path: string): ViewEntry | undefined {
    const node = this.#tree.find(path);
    return node && isVisible(node) ? entryOf(node, path) : undefined;
  }

  /**
   * Gives what is at `path` once all links on the way and at its end are followed. undefined where
   * that is nothing, or where links go in circles.
   */
  resolve(path: string): ViewEntry | undefined {
    let rest = path.split("/").filter((part) => part !== "");
    let at = "";
    let entry: ViewEntry | undefined = this.root;
    for (let links = 0; rest.length > 0 && entry; ) {
      const [name = "", ...after]: readonly string[] = rest;
      const next: string = at === "" ? name : `${at}/${name}`;
      entry = this.get(next) ?? this.#implied(next);
      const target: string | undefined = entry && pointsTo(entry);
      if (target === undefined) {
        at = next;
        rest = after;
      } else {
        if (++links > MAX_LINKS) return undefined;
        rest = [...target.split("/").filter((part) => part !== ""), ...after];
        at = "";
        entry = this.root;
      }
    }
    return entry;
  }

  /** A directory that no layer names, and that every unpacker makes because something is in it. */
  #implied(path: string): ViewEntry | undefined {
    const node = this.#tree.find(path);
    return node && isImplied(node) ? { ...this.root, path } : undefined;
  }

  /**
   * Lists the names in a directory, sorted, with directories that no layer names and that something
   * is in.
   */
  list(path: string): readonly string[] {
    const children = [...(this.#tree.find(path)?.children?.values() ?? [])];
    return children
      .filter((node) => isVisible(node) || isImplied(node))
      .map(({ name }) => name)
      .sort();
  }

  /**
   * All that can be seen, directories before what is in them, without directories that no layer
   * names.
   */
  *entries(): Generator<ViewEntry> {
    for (const { node, path } of this.#below(false)) yield entryOf(node, path);
  }

  /** The same, each with the number of its path. */
  *numbered(): Generator<ViewEntry & NumberedPath> {
    for (const { node, path } of this.#below(false)) yield { ...entryOf(node, path), id: node.id };
  }

  /**
   * What is in some layer and cannot be seen, because a higher layer removes it or a directory
   * above it.
   */
  *removed(): Generator<HiddenEntry> {
    for (const { node, path, by } of this.#below(true)) yield { ...entryOf(node, path), by };
  }

  /**
   * Files that a higher layer has too, the largest first; at most a thousand. `by` is the highest
   * that has it.
   */
  replaced(): readonly Replaced[] {
    return this.#hidden.replaced().map((one) => ({ ...one, by: this.#tree.find(one.path)?.layer ?? one.by }));
  }

  /** By layer. Complete once all layers are added. */
  totals(): readonly LayerTotals[] {
    return this.#hidden.totals(this.removed());
  }

  /**
   * By layer, what of the layers below it cannot be seen because of it. Complete once all layers
   * are added.
   */
  hides(): readonly Hidden[] {
    const hides = this.totals().map(() => ({ files: 0, bytes: 0 }));
    const count = (by: number, files: number, bytes: number) => {
      const own = hides[by];
      if (!own) return;
      own.files += files;
      own.bytes += bytes;
    };
    for (const [{ layer }, { files, bytes }] of this.#replaced) count(layer, files, bytes);
    for (const { by, kind, size } of this.removed()) if (kind === "file") count(by, 1, size);
    return hides;
  }

  #replace(
    node: PathNode,
    path: string,
    { kind, size }: Pick<ViewEntry, "kind" | "size">,
    layer: number,
    by: number,
  ): void {
    if (kind !== "file" || layer === by) return; // an entry that is twice in one layer is not counted
    this.#hidden.replace({ path, size, layer, by });
    const lower = this.#replaced.get(node) ?? { files: 0, bytes: 0 };
    this.#replaced.set(node, { files: lower.files + 1, bytes: lower.bytes + size });
  }

  #addWhiteout(layer: number, path: string, name: string): number {
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1));
    if (name === OPAQUE) {
      const node = this.#tree.add(directory);
      node.emptied = Math.max(node.emptied, layer + 1);
    } else if (!name.startsWith(`${WHITEOUT}${WHITEOUT}`)) {
      // The rest of aufs's own names (.wh..wh.plnk and so on) mean nothing here.
      const removed = name.slice(WHITEOUT.length);
      const node = this.#tree.add(directory === "" ? removed : `${directory}/${removed}`);
      node.removed = Math.max(node.removed, layer + 1);
    }
    return this.#tree.add(path).id;
  }

  /** Without recursion: a path may have a thousand directories. */
  *#below(hidden: boolean): Generator<Below> {
    const pending = [{ node: this.#tree.root, path: "", cut: 0 }];
    for (let directory = pending.pop(); directory; directory = pending.pop()) {
      const { node: parent, path: above } = directory;
      /** Layer + 1 below which the directories above hide all. */
      const cut = Math.max(directory.cut, parent.removed, parent.emptied);
      const children = [...(parent.children?.values() ?? [])];
      const below = (node: PathNode) => ({
        node,
        path: above === "" ? node.name : `${above}/${node.name}`,
        cut,
      });
      for (const node of children) {
        const by = Math.max(cut, node.removed) - 1;
        if (node.layer >= 0 && node.layer < by === hidden) yield { ...below(node), by };
      }
      // From the last to the first, as they are taken from the end.
      pending.push(
        ...children
          .filter((node) => node.children)
          .reverse()
          .map(below),
      );
    }
  }
}

/** An entry that is seen or hidden; `by` is the layer that hides it. */
interface Below {
  readonly node: PathNode;
  readonly path: string;
  readonly by: number;
}

function isVisible({ layer, removed, parent }: PathNode): boolean {
  if (layer < 0 || removed > layer + 1) return false;
  for (let at = parent; at; at = at.parent)
    if (at.removed > layer + 1 || at.emptied > layer + 1) return false;
  return true;
}

/** A directory that no layer names, and that every unpacker makes because something is in it. */
function isImplied({ layer, children }: PathNode): boolean {
  return layer === -1 && children !== undefined;
}

function entryOf({ kind, mode, size, link, layer }: PathNode, path: string): ViewEntry {
  return { path, kind, mode, size, link, layer };
}
