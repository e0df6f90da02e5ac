import { posix } from "node:path";
import { type DirectoryModes, directoryEntry, type Entry, sortByName, tarName } from "../tar/entry.ts";
import { refuse } from "./instructions.ts";
import { type Copied, resolveCopy } from "./resolve-copy.ts";
import type { ChangeModeStep, CopyStep, MakeDirectoryStep, RemoveStep } from "./stage.ts";
import { type FileTree, MemoryTree } from "./trees.ts";

/** Facts about the image below a stage. Paths are absolute. */
export interface BaseFiles {
  /** Returns undefined if the image would have to be read. */
  isDirectory(path: string): boolean | undefined;
}

/** The files that the instructions of a stage add to its base. */
export class StageFiles {
  readonly tree: MemoryTree;
  readonly #base: BaseFiles;
  /** The paths that were looked up in the image. */
  readonly #lookedUp = new Map<string, boolean>();

  /** @param parent the files of the stage that this one is based on */
  constructor(base: BaseFiles, parent?: StageFiles) {
    this.#base = base;
    this.tree = new MemoryTree(parent?.tree);
  }

  /** Copies files. @throws DOCKERFILE_REFUSED */
  copy(step: CopyStep, from: FileTree): void {
    for (const copied of resolveCopy(step, from, (path) => this.isDirectory(path))) this.#put(step, copied);
  }

  /** Adds a file of a package; it replaces an existing one, as package managers do. */
  install(path: string, entry: Exclude<Entry, { readonly kind: "directory" }>): void {
    this.tree.put(path.slice(1), { ...entry, installed: true });
  }

  makeDirectory({ path }: MakeDirectoryStep): void {
    if (!this.isDirectory(path)) this.tree.put(path.slice(1), { kind: "directory", kept: true });
  }

  /**
   * Changes the mode of a file.
   * @throws DOCKERFILE_REFUSED for a file of the base, which would have to be copied
   */
  changeMode(step: ChangeModeStep): void {
    const node = this.tree.find(step.path.slice(1));
    if (!node)
      throw refuse(
        step,
        `chmod ${step.path}: no instruction above has put it there`,
        "set the mode in the base image, or remove the line",
      );
    this.#changeMode(step, step.path.slice(1));
  }

  /** Removes a file. @throws DOCKERFILE_REFUSED for a path that this Dockerfile did not create */
  remove(step: RemoveStep): void {
    const path = step.path.slice(1);
    if (!this.tree.find(path))
      throw refuse(
        step,
        `rm ${step.path}: no instruction above has put it there`,
        "name in .dockerignore what COPY leaves out, or remove the line",
      );
    this.tree.remove(path);
  }

  isDirectory(path: string): boolean {
    return this.knownDirectory(path) === true;
  }

  /** Returns what {@link isDirectory} does, or undefined if the image would have to be read. */
  knownDirectory(path: string): boolean | undefined {
    const node = this.tree.find(path.slice(1));
    return node ? node.kind === "directory" : (this.#lookedUp.get(path) ?? this.#base.isDirectory(path));
  }

  /** Stores whether the image below has a directory at a path. */
  setDirectory(path: string, isDirectory: boolean): void {
    this.#lookedUp.set(path, isDirectory);
  }

  /** Returns the paths of files that package managers installed. */
  installedPaths(): ReadonlySet<string> {
    const paths = new Set<string>();
    for (const [path, node] of this.tree.nodes()) if ("installed" in node && node.installed) paths.add(path);
    return paths;
  }

  /** Returns all entries in the order of a tar; directories only if they are empty. */
  entries(modes: DirectoryModes): readonly Entry[] {
    const entries: Entry[] = [];
    for (const [path, node] of this.tree.nodes()) {
      if (node.kind === "file" || node.kind === "symlink") {
        const { installed: _, ...entry } = node;
        entries.push({ ...entry, path });
      } else if ([...this.tree.namesIn(path)].length === 0) entries.push(directoryEntry(path, modes));
    }
    return sortByName(entries, tarName);
  }

  #put(step: CopyStep, { target, node }: Copied): void {
    const path = target.slice(1);
    const before = this.tree.find(path);
    if (node.kind === "directory") {
      if (path !== "" && before?.kind !== "directory") this.tree.put(path, node);
      return;
    }
    if (before?.kind === "directory" || path === "")
      throw refuse(
        step,
        `${step.keyword} puts a file where a directory is: ${target}`,
        "name another target",
      );
    this.#refuseLinks(step, target);
    this.tree.put(path, node);
  }

  /**
   * Refuses a target below a link. Docker follows the link, but its destination also depends on the
   * base.
   */
  #refuseLinks(step: CopyStep, target: string): void {
    for (let path = posix.dirname(target); path !== "/"; path = posix.dirname(path)) {
      const node = this.tree.find(path.slice(1));
      if (node && node.kind !== "directory")
        throw refuse(
          step,
          `${step.keyword} to ${target}: ${path} is not a directory`,
          "name the directory itself",
        );
    }
  }

  #changeMode(step: ChangeModeStep, path: string): void {
    const node = this.tree.find(path);
    if (node?.kind === "file" && step.mode !== "unchanged")
      this.tree.put(path, { ...node, mode: step.mode === "executable" ? 0o755 : 0o644 });
    if (node?.kind !== "directory" || !step.recursive) return;
    for (const name of [...this.tree.namesIn(path)])
      this.#changeMode(step, path === "" ? name : `${path}/${name}`);
  }
}
