import { type Entry, tarName } from "../../tar/entry.ts";
import type { LayerEntry } from "../../tar/layer-entry.ts";
import { pointsTo, realPath } from "../../tar/layer-entry.ts";
import { HiddenFiles, type LayerTotals, type Replaced } from "./hidden-files.ts";
import type { HiddenEntry, ViewEntry } from "./path-tree.ts";
import { OPAQUE, type PathNode, PathTree, WHITEOUT } from "./path-tree.ts";

export type { HiddenEntry, ViewEntry };

/**
 * The merged file system of layers (image-spec layer.md, "Applying Changesets"), without unpacking
 * them. Layers may be added at the same time and in any order: for each path, the entry of the
 * highest layer is kept, and for each whiteout, the highest layer that has it.
 */
export class MergedView {
  readonly #tree = new PathTree();
  readonly #hidden = new HiddenFiles();
  readonly root: ViewEntry = { path: "", kind: "directory", mode: 0o755, size: 0, link: "", layer: 0 };

  /** The number of paths so far, hidden ones included. */
  get size(): number {
    return this.#tree.size;
  }

  /**
   * Adds an entry whose path is inside the root, and returns the path's number.
   * @throws IMAGE_INVALID for too many paths.
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

  /** Returns the number of a path; undefined if no layer has it. */
  idOf(path: string): number | undefined {
    return this.#tree.find(path)?.id;
  }

  /** Returns the visible entry at the path with this number. */
  at(id: number): ViewEntry | undefined {
    const node = this.#tree.nodes[id];
    return node && isVisible(node) ? entryOf(node, this.#tree.pathOf(node)) : undefined;
  }

  /** Returns the number of the directory of a path; the root's is 0. */
  parentOf(id: number): number {
    return this.#tree.nodes[id]?.parent?.id ?? 0;
  }

  /** Returns the visible entry at `path`. Does not follow links. */
  get(path: string): ViewEntry | undefined {
    const node = this.#tree.find(path);
    return node && isVisible(node) ? entryOf(node, path) : undefined;
  }

  /**
   * Returns the visible entry at `path` and follows all links on the way and at its end. undefined
   * if there is none, or if links form a cycle.
   */
  resolve(path: string): ViewEntry | undefined {
    const real = realPath(path, (at) => {
      const entry = this.get(at);
      return entry && pointsTo(entry);
    });
    if (real === undefined) return undefined;
    return real === "" ? this.root : (this.get(real) ?? this.#implied(real));
  }

  /** Returns a directory without an entry, which unpackers create because something is in it. */
  #implied(path: string): ViewEntry | undefined {
    const node = this.#tree.find(path);
    return node && isImplied(node) ? { ...this.root, path } : undefined;
  }

  /** Lists the names in a directory, sorted, including non-empty directories without an entry. */
  list(path: string): readonly string[] {
    const children = [...(this.#tree.find(path)?.children?.values() ?? [])];
    return children
      .filter((node) => isVisible(node) || isImplied(node))
      .map(({ name }) => name)
      .sort();
  }

  /** Yields all visible entries, directories before their content; not those without an entry. */
  *entries(): Generator<ViewEntry> {
    for (const { node, path } of this.#below(false)) yield entryOf(node, path);
  }

  /** Yields entries that are hidden because a higher layer removes them or a directory above. */
  *removed(): Generator<HiddenEntry> {
    for (const { node, path, by } of this.#below(true)) {
      const { kind, mode, size, link, layer } = node;
      // Not a spread: V8 would give each entry a hidden class of its own.
      yield { path, kind, mode, size, link, layer, by };
    }
  }

  /**
   * Returns files that a higher layer has too, the largest first; at most a thousand. `by` is the
   * highest layer that has the file.
   */
  replaced(): readonly Replaced[] {
    return this.#hidden.replaced().map((one) => ({ ...one, by: this.#tree.find(one.path)?.layer ?? one.by }));
  }

  /** Returns the totals by layer. Complete once all layers are added. */
  totals(): readonly LayerTotals[] {
    return this.#hidden.totals(this.removed());
  }

  #replace(
    node: PathNode,
    path: string,
    { kind, size }: Pick<ViewEntry, "kind" | "size">,
    layer: number,
    by: number,
  ): void {
    if (kind !== "file" || layer === by) return; // an entry that is twice in one layer is not counted
    this.#hidden.countReplaced(node, { path, size, layer, by });
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

  /** Walks without recursion, because a path may have a thousand directories. */
  *#below(hidden: boolean): Generator<Below> {
    const pending = [{ node: this.#tree.root, path: "", cut: 0 }];
    for (let directory = pending.pop(); directory; directory = pending.pop()) {
      const { node: parent, path: above } = directory;
      /** Layer + 1 of the highest layer that hides what lower layers have in this directory. */
      const cut = Math.max(directory.cut, parent.removed, parent.emptied);
      const children = [...(parent.children?.values() ?? [])];
      const pathOf = ({ name }: PathNode) => (above === "" ? name : `${above}/${name}`);
      for (const node of children) {
        const by = Math.max(cut, node.removed) - 1;
        if (node.layer >= 0 && node.layer < by === hidden) yield { node, path: pathOf(node), by };
      }
      // In reverse order, because they are taken from the end.
      const directories = children.filter((node) => node.children).reverse();
      pending.push(...directories.map((node) => ({ node, path: pathOf(node), cut })));
    }
  }
}

/** A visible or hidden entry; `by` is the layer that hides it. */
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

/** Returns whether it is a directory without an entry, which unpackers create for its content. */
function isImplied({ layer, children }: PathNode): boolean {
  return layer === -1 && children !== undefined;
}

function entryOf({ kind, mode, size, link, layer }: PathNode, path: string): ViewEntry {
  return { path, kind, mode, size, link, layer };
}

/** Adds entries that will be packed to `view`, as if they were in layer `layer` already. */
export function addPlanned(view: MergedView, layer: number, entries: Iterable<Entry>): void {
  for (const entry of entries) view.add(layer, plannedEntry(entry), entry.path);
}

/** Returns the entry that the layer's tar will have. */
export function plannedEntry(entry: Entry): LayerEntry {
  const { kind, path } = entry;
  return {
    name: tarName(entry),
    path,
    kind,
    mode: kind === "symlink" ? 0o777 : entry.mode,
    uid: 0,
    gid: 0,
    size: kind === "file" ? entry.size : 0,
    mtime: 0,
    link: kind === "symlink" ? entry.target : "",
  };
}
