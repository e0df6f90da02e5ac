import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { writeFailed } from "../../blobs/disk.ts";
import { LambdaPackError } from "../../errors.ts";
import type { Layer } from "../../oci/image.ts";
import type { LayerEntry, LayerVisitor } from "../../tar/layer-entry.ts";
import { linkTarget, MAX_LINKS } from "../../tar/layer-entry.ts";
import { scanLayer } from "../scan.ts";
import { OPAQUE, WHITEOUT } from "../view/path-tree.ts";

const WANTED = { head: 0 };

interface UnpackOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Which permissions the owner of the unpacked files gets. Default: the owner's. "others": those
   * of all other users, except for files of Lambda's user, so that a process of the owner sees what
   * Lambda's user would see.
   */
  readonly owner?: "itself" | "others" | undefined;
  /** Called when all files exist and every directory is still writable. */
  readonly prepare?: (() => void) | undefined;
}

/** Lambda's user for functions. */
const LAMBDA_UID = 993;

/**
 * Applies the layers of an image to an empty directory (image-spec layer.md, "Applying
 * Changesets"). No link of the image leads out of it: links are followed as if the directory were
 * the root. Devices are left out, owners are not kept.
 * @throws IMAGE_INVALID and CONTENT_MISMATCH for layers that are not what the image says,
 * WRITE_FAILED
 */
export async function unpackImage(
  layers: readonly Layer[],
  directory: string,
  { signal, owner = "itself", prepare }: UnpackOptions = {},
): Promise<void> {
  const tree = new Tree(directory, owner === "others");
  for (const layer of layers) {
    const scan = await scanLayer(layer, tree.visitor(), { signal }).catch((cause: unknown) => {
      throw writeFailed(directory, cause);
    });
    if (scan.diffId !== layer.diffId) {
      throw new LambdaPackError(
        "CONTENT_MISMATCH",
        `the layer ${scan.diffId} is not the ${layer.diffId} of the image's config`,
        { hint: "pull the image again, or have it built again" },
      );
    }
  }
  prepare?.();
  tree.finish();
}

/** Removes an unpacked image, including read-only directories. */
export function removeTree(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    openDirectories(directory);
    rmSync(directory, { recursive: true, force: true });
  }
}

function openDirectories(directory: string): void {
  chmodSync(directory, 0o700);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) openDirectories(join(directory, entry.name));
  }
}

class Tree {
  readonly #paths: TreePaths;
  readonly #asOthers: boolean;
  /** Modes of directories are set at the end, because no file can be added to a read-only one. */
  readonly #directoryModes = new Map<string, number>();

  constructor(root: string, asOthers: boolean) {
    this.#paths = new TreePaths(root);
    this.#asOthers = asOthers;
  }

  visitor(): LayerVisitor {
    /**
     * Paths of this layer: an opaque whiteout hides only entries of lower layers, wherever it is in
     * its layer.
     */
    const own = new Set<string>();
    let file: number | undefined;
    return {
      enter: (entry) => {
        if (entry.path === undefined || entry.path === "") return undefined;
        const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
        if (name.startsWith(WHITEOUT)) this.#remove(entry.path, name, own);
        else file = this.#add(entry, entry.path, own);
        return file === undefined ? undefined : WANTED;
      },
      content: (_, piece) => {
        if (file !== undefined) writeAll(file, piece);
      },
      leave: () => {
        if (file !== undefined) closeSync(file);
        file = undefined;
      },
    };
  }

  finish(): void {
    for (const [path, mode] of [...this.#directoryModes].reverse()) chmodSync(path, mode);
  }

  /** Adds an entry. Returns the descriptor of a file, whose content comes next. */
  #add(entry: LayerEntry, path: string, own: Set<string>): number | undefined {
    own.add(path);
    const place = this.#paths.placeOf(path);
    const mode = this.#modeOf(entry);
    if (entry.kind === "directory") {
      if (!this.#paths.isDirectory(place)) {
        this.#paths.remove(place);
        mkdirSync(place);
      }
      this.#directoryModes.set(place, mode);
      return undefined;
    }
    this.#forget(place);
    if (entry.kind === "symlink") symlinkSync(entry.link, place);
    if (entry.kind === "hardlink") linkSync(this.#paths.placeOf(linkTarget("", entry.link)), place);
    if (entry.kind !== "file") return undefined;
    const file = openSync(place, "wx", 0o600);
    chmodSync(place, mode);
    return file;
  }

  #modeOf({ kind, mode, uid }: LayerEntry): number {
    const permissions = mode & 0o777;
    if (!this.#asOthers || uid === LAMBDA_UID) return permissions;
    // Directories stay writable for the owner, so that rm can remove them: the root is mounted
    // read-only anyway.
    const write = kind === "directory" ? 0o200 : 0;
    return (permissions & 0o077) | ((permissions & 0o007) << 6) | write;
  }

  #remove(path: string, name: string, own: ReadonlySet<string>): void {
    const parent = path.slice(0, Math.max(path.length - name.length - 1, 0));
    const hidden = name === OPAQUE ? this.#paths.childrenOf(parent) : [name.slice(WHITEOUT.length)];
    for (const child of hidden) {
      const below = join(parent, child);
      const isName = child !== "" && child !== "." && child !== "..";
      if (isName && !own.has(below)) this.#forget(this.#paths.placeOf(below));
    }
  }

  #forget(place: string): void {
    const wasDirectory = this.#paths.isDirectory(place);
    this.#paths.remove(place);
    if (!wasDirectory) return;
    for (const path of this.#directoryModes.keys()) {
      if (path === place || path.startsWith(`${place}/`)) this.#directoryModes.delete(path);
    }
  }
}

function writeAll(file: number, piece: Buffer): void {
  for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
}

/** Finds paths of an image in the directory that is the image's root. No link leads out of it. */
export class TreePaths {
  readonly #root: string;
  /** The places of directories that are known not to be links. */
  readonly #known = new Map<string, string>();

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Returns where an entry goes. Follows links in the directories above it within the tree, but not
   * the last name. Creates missing directories, and removes a file in the place of one.
   */
  placeOf(path: string): string {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    const name = parts.pop();
    const parent = this.#directoryAt(parts.join("/"), 0);
    return name === undefined ? parent : join(parent, name);
  }

  childrenOf(path: string): readonly string[] {
    return readdirSync(this.#directoryAt(path, 0));
  }

  isDirectory(place: string): boolean {
    return statOf(place)?.isDirectory() === true;
  }

  /** Removes a file, or a directory with everything in it. */
  remove(place: string): void {
    const found = statOf(place);
    if (!found) return;
    this.#known.clear();
    rmSync(place, { recursive: true, force: true });
  }

  #directoryAt(path: string, links: number): string {
    if (path === "") return this.#root;
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    if (links > MAX_LINKS)
      throw new LambdaPackError(
        "IMAGE_INVALID",
        `the image has a chain of more than ${MAX_LINKS} links at ${path}`,
      );
    const slash = path.lastIndexOf("/");
    const parent = this.#directoryAt(path.slice(0, Math.max(slash, 0)), links);
    const place = join(parent, path.slice(slash + 1));
    const found = statOf(place);
    if (found?.isSymbolicLink()) {
      // Relative to the link's own place, which may have been reached through other links.
      const own = place.slice(this.#root.length + 1);
      return this.#directoryAt(linkTarget(own, readlinkSync(place)), links + 1);
    }
    if (!found?.isDirectory()) {
      if (found) this.remove(place);
      mkdirSync(place, 0o755);
    }
    this.#known.set(path, place);
    return place;
  }
}

function statOf(place: string): Stats | undefined {
  return lstatSync(place, { throwIfNoEntry: false });
}
