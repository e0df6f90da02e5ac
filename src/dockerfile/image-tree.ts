import { LambdaPackError } from "../errors.ts";
import type { ExtractedFiles } from "../rootfs/unpack/extract-files.ts";
import type { ViewEntry } from "../rootfs/view/view-entry.ts";
import type { FileTree, TreeNode } from "./tree.ts";

/** The files of an image as COPY sees them. Links on the way to a path are followed; one at its end is not. */
export function imageTree({ view, contentOf }: ExtractedFiles, reference: string): FileTree {
  // A hard link has the mode of its file, whatever its own entry says.
  const fileMode = ({ kind, path, mode }: Pick<ViewEntry, "kind" | "path" | "mode">) =>
    kind === "hardlink" ? (view.resolve(path)?.mode ?? mode) : mode;
  const nodeOf = ({ kind, path, mode, link }: ViewEntry): TreeNode => {
    if (kind === "directory") return { kind, kept: true };
    if (kind === "symlink") return { kind, target: link };
    if (kind !== "file" && kind !== "hardlink") return { kind: "other" };
    const content = contentOf(path);
    if (!content) throw unavailable(reference, path);
    return { kind: "file", mode: (fileMode({ kind, path, mode }) & 0o100) === 0 ? 0o644 : 0o755, ...content };
  };
  return {
    find(path) {
      const real = realPath(view, path);
      const entry = real === undefined ? undefined : (view.get(real) ?? view.resolve(real));
      return entry && nodeOf(entry);
    },
    namesIn(path) {
      return view.list(realPath(view, path) ?? path);
    },
  };
}

/** The path with the links in its directories followed. */
function realPath(view: ExtractedFiles["view"], path: string): string | undefined {
  const at = path.lastIndexOf("/");
  if (at < 0) return path;
  const parent = view.resolve(path.slice(0, at));
  return parent && (parent.path === "" ? path.slice(at + 1) : `${parent.path}/${path.slice(at + 1)}`);
}

function unavailable(reference: string, path: string): LambdaPackError {
  return new LambdaPackError(
    "DOCKERFILE_REFUSED",
    `COPY --from=${reference}: ${path} is a link to a file that was not read`,
    {
      hint: "name the file that the link means",
    },
  );
}
