import { LambdaPackError } from "../../errors.ts";
import type { EntryKind } from "../../tar/read-header.ts";

/** The most paths of an image: no function needs as many, and they take about 100 MB. */
export const MAX_PATHS = 300_000;

/** Names of whiteouts begin with this (image-spec layer.md, "Whiteouts"). */
export const WHITEOUT = ".wh.";
/** image-spec layer.md, "Opaque Whiteout". */
export const OPAQUE = ".wh..wh..opq";

/** Returns the error for more paths than {@link MAX_PATHS}: the rest is not read. */
export function tooManyEntries(what: "image" | "layer"): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the ${what} has more than ${MAX_PATHS} files and directories: the rest was not read`,
    { hint: "leave out what the function does not use" },
  );
}

/** A path of an image, and its entry in the highest layer. */
export class PathNode {
  /** Paths are numbered in the order in which they are added; the root's number is 0. */
  readonly id: number;
  readonly parent: PathNode | undefined;
  readonly name: string;
  children: Map<string, PathNode> | undefined;
  /** Index of the entry's layer; -1: layers have entries only for something in the path. */
  layer = -1;
  kind: EntryKind = "directory";
  mode = 0;
  size = 0;
  link = "";
  /**
   * Layer + 1 of the highest whiteout of the path: it hides the path and its content in all layers
   * below.
   */
  removed = 0;
  /**
   * Layer + 1 of the highest opaque whiteout in the directory, or of the highest entry that is not
   * a directory: it hides the content of the directory in the layers below.
   */
  emptied = 0;

  constructor(id: number, parent: PathNode | undefined, name: string) {
    this.id = id;
    this.parent = parent;
    this.name = name;
  }

  /** Sets the facts of the entry in a layer. */
  set(layer: number, { kind, mode, size, link }: Pick<PathNode, "kind" | "mode" | "size" | "link">): void {
    this.layer = layer;
    this.kind = kind;
    this.mode = mode;
    this.size = size;
    this.link = link;
  }
}

/** The paths of an image as a tree. */
export class PathTree {
  readonly root = new PathNode(0, undefined, "");
  readonly #nodes: PathNode[] = [this.root];
  /** The last directory: most paths are in the same directory as the path before. */
  #last = { directory: "", node: this.root };

  /** The number of paths so far, the root included. */
  get size(): number {
    return this.#nodes.length;
  }

  get nodes(): readonly PathNode[] {
    return this.#nodes;
  }

  /**
   * Returns the node of a path, and creates it if there is none.
   * @throws IMAGE_INVALID above {@link MAX_PATHS}.
   */
  add(path: string): PathNode {
    if (path === "") return this.root;
    const slash = path.lastIndexOf("/");
    const directory = slash < 0 ? this.root : this.#directory(path, slash);
    const name = path.slice(slash + 1);
    return directory.children?.get(name) ?? this.#insert(directory, name);
  }

  find(path: string): PathNode | undefined {
    let node: PathNode | undefined = this.root;
    if (path === "") return node;
    for (const name of path.split("/")) node = node?.children?.get(name);
    return node;
  }

  pathOf(node: PathNode): string {
    const names: string[] = [];
    for (let at: PathNode | undefined = node; at?.parent; at = at.parent) names.push(at.name);
    return names.reverse().join("/");
  }

  #directory(path: string, slash: number): PathNode {
    const { directory, node } = this.#last;
    if (slash === directory.length && path.startsWith(directory)) return node;
    let found = this.root;
    const parent = path.slice(0, slash);
    for (const name of parent.split("/")) found = found.children?.get(name) ?? this.#insert(found, name);
    this.#last = { directory: parent, node: found };
    return found;
  }

  #insert(parent: PathNode, name: string): PathNode {
    if (this.#nodes.length > MAX_PATHS) throw tooManyEntries("image");
    const own = copyOf(name);
    const node = new PathNode(this.#nodes.length, parent, own);
    parent.children ??= new Map();
    parent.children.set(own, node);
    this.#nodes.push(node);
    return node;
  }
}

/** Copies a name: in V8 a substring keeps the whole string, and 300,000 whole paths take 30 MB. */
function copyOf(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? Buffer.from(name, "latin1").toString("latin1") : name;
}

/** An entry of the image's file system, from the highest layer that has it. */
export interface ViewEntry {
  /** Without a slash at either end. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Permission bits, up to 0o7777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** The target of a link, as it is written in the tar. */
  readonly link: string;
  /** Index of the layer that it is in; 0 is the lowest. */
  readonly layer: number;
}

/** An entry of a layer that is not visible. */
export interface HiddenEntry extends ViewEntry {
  /** The layer that hides it. */
  readonly by: number;
}
