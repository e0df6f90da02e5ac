import type { AppFiles, Names } from "../lambda/handler/app-files.ts";
import { type ImageFacts, PATH_MAX, taskRoot, within } from "./facts.ts";

/** The most names that a search for a similar handler looks at. */
const MAX_NAMES = 100_000;

/** Returns the files below the task root of an image, or below `root`, for a handler search. */
export function appInImage(facts: ImageFacts, root = taskRoot(facts)): AppFiles {
  const { view, contents } = facts.files;
  return {
    names: namesIn(facts, root),
    read: async (name) => {
      const entry = view.resolve(join(root, name));
      return entry && contents.text(entry.path);
    },
    namesInJar: async (name) => contents.jars().get(join(root, name)),
  };
}

function namesIn({ files: { view } }: ImageFacts, root: string): Names {
  return {
    has(name) {
      if (name.length > PATH_MAX) return false;
      const entry = view.resolve(join(root, name));
      return entry !== undefined && entry.kind !== "directory";
    },
    deadLink(name) {
      const entry = name.length > PATH_MAX || this.has(name) ? undefined : view.get(join(root, name));
      return entry?.kind === "symlink" ? entry.link : undefined;
    },
    *[Symbol.iterator]() {
      let left = MAX_NAMES;
      for (const { path, kind } of view.entries()) {
        const inside = kind === "directory" ? undefined : within(root, path);
        if (inside === undefined) continue;
        yield inside;
        if (--left === 0) return;
      }
    },
  };
}

function join(root: string, name: string): string {
  return root === "" ? name : `${root}/${name}`;
}
