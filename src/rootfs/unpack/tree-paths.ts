import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, type Stats } from "node:fs";
import { join } from "node:path";
import { LambdaPackError } from "../../errors.ts";
import { linkTarget, MAX_LINKS } from "../../tar/entry-path.ts";

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
