import { posix } from "node:path";
import type { LambdaPackError } from "../errors.ts";
import { compilePattern } from "../layer/ignore/pattern.ts";
import { refuse } from "./instructions.ts";
import type { CopyStep } from "./stage.ts";
import { type FileTree, isArchive, type TreeNode } from "./trees.ts";

/** One entry that COPY creates. */
export interface Copied {
  /** The path in the source tree. */
  readonly source: string;
  /** The absolute path in the image. */
  readonly target: string;
  readonly node: Exclude<TreeNode, { readonly kind: "other" }>;
}

const PATTERN = /[*?[\\]/;

/**
 * Returns the entries that a COPY or ADD creates, by Docker's rules: the contents of a directory
 * are copied, not the directory itself; a file goes into the target if that is a directory, else it
 * becomes the target. A link given as source is followed; links in a directory are kept.
 * @param isDirectory whether the image has a directory at an absolute path
 * @throws DOCKERFILE_REFUSED
 */
export function resolveCopy(
  step: CopyStep,
  tree: FileTree,
  isDirectory: (path: string) => boolean,
): readonly Copied[] {
  const found = step.sources.flatMap((source) => findSources(step, source, tree));
  const into = step.intoDirectory || isDirectory(step.target);
  const files = found.filter(({ node }) => node.kind !== "directory");
  if (files.length > 1 && !into)
    throw refuse(
      step,
      `${step.keyword} of ${files.length} files to ${step.target}, which is not a directory`,
      `write a slash at its end: ${step.target}/`,
    );
  const copied: Copied[] = [];
  for (const { name, path, node } of found) {
    if (node.kind === "directory") copied.push(...directoryOf(step, path, tree, node.kept));
    else copied.push(entryOf(step, path, into ? posix.join(step.target, name) : step.target, node));
  }
  return copied;
}

interface Source {
  /** The name as it was given, which the copy gets. */
  readonly name: string;
  readonly path: string;
  readonly node: TreeNode;
}

/** Resolves a source. As in Docker, `../a` and `/a` mean `a` in the context. */
function findSources(step: CopyStep, source: string, tree: FileTree): readonly Source[] {
  const clean = posix.resolve("/", source).slice(1);
  const paths = PATTERN.test(clean) ? expandPattern(step, clean, tree) : [clean];
  const found = paths.flatMap((path) => follow(step, path, tree));
  if (found.length > 0 || PATTERN.test(clean)) return found;
  throw notFound(step, source);
}

function notFound(step: CopyStep, source: string): LambdaPackError {
  return refuse(
    step,
    `${step.keyword} ${source}: there is no such file`,
    step.from.kind === "context"
      ? "check the path, which is relative to the build context, and what .dockerignore leaves out"
      : "check the path in the stage or the image that --from names",
  );
}

function expandPattern(step: CopyStep, pattern: string, tree: FileTree): readonly string[] {
  let paths: readonly string[] = [""];
  for (const segment of pattern.split("/")) {
    const matches = PATTERN.test(segment) ? matcher(step, segment) : undefined;
    paths = paths.flatMap((path) => {
      if (!matches) return [posix.join(path, segment)];
      if (tree.find(path)?.kind !== "directory") return [];
      return [...tree.namesIn(path)]
        .filter(matches)
        .sort()
        .map((name) => posix.join(path, name));
    });
  }
  return paths.filter((path) => isKept(tree.find(path)));
}

function isKept(node: TreeNode | undefined): boolean {
  return node !== undefined && (node.kind !== "directory" || node.kept);
}

/** Compiles a pattern; Go's filepath.Match reads `**` as `*`. */
function matcher(step: CopyStep, segment: string): (name: string) => boolean {
  try {
    const pattern = compilePattern(segment.replace(/\*+/g, "*"));
    return (name) => pattern.names(name);
  } catch (error) {
    throw refuse(step, `${step.keyword} ${segment}: ${String(error)}`, "correct the pattern");
  }
}

const MAX_LINKS = 40;

function follow(step: CopyStep, named: string, tree: FileTree): readonly Source[] {
  let path = named;
  for (let links = 0; links < MAX_LINKS; links++) {
    const node = tree.find(path);
    if (!node) break;
    if (node.kind !== "symlink") return [{ name: posix.basename(named), path, node }];
    const next = placeOf(path, node.target, step);
    if (next === undefined)
      throw refuse(
        step,
        `${step.keyword} ${named}: the link leads out of what is copied from`,
        "copy the file itself, or make the link relative",
      );
    path = next;
  }
  return [];
}

/**
 * Returns the target of a link; undefined if it is outside the tree. In an image or stage, an
 * absolute link starts at the root.
 */
function placeOf(path: string, target: string, { from }: CopyStep): string | undefined {
  if (posix.isAbsolute(target))
    return from.kind === "context" ? undefined : posix.normalize(target).replace(/^\/+|\/+$/g, "");
  const place = posix.join(posix.dirname(path), target);
  if (place === ".." || place.startsWith("../")) return undefined;
  return place === "." ? "" : place;
}

/**
 * Returns a directory's entries. One that the ignore file excludes exists if an exception keeps
 * something in it.
 */
function directoryOf(step: CopyStep, path: string, tree: FileTree, kept: boolean): readonly Copied[] {
  const contents = contentsOf(step, path, step.target, tree, kept);
  if (contents.length === 0) throw notFound(step, path);
  return contents;
}

function contentsOf(
  step: CopyStep,
  path: string,
  target: string,
  tree: FileTree,
  kept: boolean,
): readonly Copied[] {
  const inside = [...tree.namesIn(path)].sort().flatMap((name): readonly Copied[] => {
    const child = path === "" ? name : `${path}/${name}`;
    const node = tree.find(child);
    const childTarget = posix.join(target, name);
    if (!node) return [];
    if (node.kind === "directory") return contentsOf(step, child, childTarget, tree, node.kept);
    return [entryOf(step, child, childTarget, node)];
  });
  return kept ? [{ source: path, target, node: { kind: "directory", kept } }, ...inside] : inside;
}

function entryOf(step: CopyStep, source: string, target: string, node: TreeNode): Copied {
  if (node.kind === "other")
    throw refuse(
      step,
      `${step.keyword} ${source} is a socket, a FIFO or a device`,
      "name it in .dockerignore",
    );
  if (node.kind !== "file") return { source, target, node };
  if (step.keyword === "ADD" && isArchive(node.source))
    throw refuse(
      step,
      `ADD ${source} would unpack an archive`,
      "unpack it before lambda-pack build, and COPY the directory",
    );
  const mode = step.executable === undefined ? node.mode : step.executable ? 0o755 : 0o644;
  return { source, target, node: { ...node, mode } };
}
