import { LambdaPackError } from "../errors.ts";
import { TextList, words } from "./columns.ts";

/** More than any image of 10 GB has use for; with so many an image is held to all rules in 200 MB. */
export const MAX_PATHS = 2 ** 20;
const MAX_NAME_BYTES = 256 * 1024 * 1024;

/** The root of the image. */
export const ROOT = 0;

/**
 * Numbers for paths: each name once, under the number of its folder. A million paths take some 50 MB, where a Map of strings takes 300.
 * 0 is the root; the others get theirs in the order in which they come.
 */
export class PathTable {
  readonly #parents = words();
  readonly #lastChildren = words();
  readonly #siblings = words();
  readonly #names = new TextList();
  /** By hash, each the number of a path; 0 is free. At least twice as many as paths, a power of two. */
  #slots = new Uint32Array(2048);
  /** Entries of a folder come together: most paths have the folder of the one before. */
  #last = { folder: "", id: ROOT };
  readonly #limit: number;

  /** For `images` images together. */
  constructor(images = 1) {
    this.#limit = images * MAX_PATHS;
    this.#names.add(Buffer.alloc(0));
  }

  /** Numbers given so far, the root's included. */
  get size(): number {
    return this.#names.length;
  }

  /** The number of `path`, given now where it has none; its folders get theirs. @throws IMAGE_INVALID above {@link MAX_PATHS}. */
  add(path: string): number {
    if (path === "") return ROOT;
    const slash = path.lastIndexOf("/");
    return this.#child(slash < 0 ? ROOT : this.#folder(path, slash), path.slice(slash + 1), true);
  }

  /** undefined where the path has no number. */
  find(path: string): number | undefined {
    let id = ROOT;
    for (const name of path === "" ? [] : path.split("/")) {
      id = this.#child(id, name, false);
      if (id === ROOT) return undefined;
    }
    return id;
  }

  parent(id: number): number {
    return this.#parents.get(id);
  }

  /** What is directly in a folder, in the order in which it came: that of names, mostly, which spares whoever sorts them work. */
  children(id: number): Uint32Array {
    let count = 0;
    for (let child = this.#lastChildren.get(id); child !== ROOT; child = this.#siblings.get(child))
      count += 1;
    const children = new Uint32Array(count);
    for (let child = this.#lastChildren.get(id); child !== ROOT; child = this.#siblings.get(child))
      children[--count] = child;
    return children;
  }

  hasChildren(id: number): boolean {
    return this.#lastChildren.get(id) !== ROOT;
  }

  name(id: number): string {
    return this.#names.textAt(id);
  }

  path(id: number): string {
    const names: string[] = [];
    for (let at = id; at !== ROOT; at = this.parent(at)) names.push(this.name(at));
    return names.reverse().join("/");
  }

  #folder(path: string, slash: number): number {
    const { folder, id } = this.#last;
    if (slash === folder.length && path.startsWith(folder)) return id;
    const parent = path.slice(0, slash);
    this.#last = { folder: parent, id: this.add(parent) };
    return this.#last.id;
  }

  /** The number of `name` in a folder; ROOT where it has none and gets none. */
  #child(parent: number, name: string, make: boolean): number {
    const text = Buffer.from(name);
    const mask = this.#slots.length - 1;
    let slot = hash(parent, text) & mask;
    for (let id = this.#slots[slot]; id; id = this.#slots[slot]) {
      if (this.parent(id) === parent && this.#names.is(id, text)) return id;
      slot = (slot + 1) & mask;
    }
    return make ? this.#insert(parent, text, slot) : ROOT;
  }

  #insert(parent: number, text: Buffer, slot: number): number {
    if (this.size >= this.#limit || this.#names.bytes + text.length > MAX_NAME_BYTES) throw tooMany();
    const id = this.#names.add(text);
    this.#parents.set(id, parent);
    this.#siblings.set(id, this.#lastChildren.get(parent));
    this.#lastChildren.set(parent, id);
    this.#slots[slot] = id;
    if (this.size * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 1; id < this.size; id++) {
      let slot = hash(this.parent(id), this.#names.at(id)) & mask;
      while (slots[slot]) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

/** FNV-1a, over the folder's number first. */
function hash(parent: number, text: Buffer): number {
  let value = Math.imul(0x811c9dc5 ^ parent, 0x01000193);
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ (text[at] ?? 0), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

function tooMany(): LambdaPackError {
  return new LambdaPackError(
    "IMAGE_INVALID",
    `the image has more than ${MAX_PATHS} files and folders, or names of more than 256 MiB`,
    { hint: "no Lambda function needs as many: leave out what is not used" },
  );
}
