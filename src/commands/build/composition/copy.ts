import { posix } from "node:path";
import { type Base, pullBase } from "../../../base/base.ts";
import { mayMeanDirectory } from "../../../dockerfile/assemble.ts";
import type { CopyStep } from "../../../dockerfile/stage.ts";
import { StageFiles } from "../../../dockerfile/stage-files.ts";
import type { FileTree } from "../../../dockerfile/trees.ts";
import { LambdaPackError } from "../../../errors.ts";
import { nearest } from "../../../lambda/nearest.ts";
import { baseView } from "../base/base-links.ts";
import { stageCollection } from "../collect.ts";
import { hasDirectory, readImageFiles } from "../dockerfile/images.ts";
import { emitFiles, type Part, type PartContext, refusePart } from "./part.ts";
import type { CopyPlan } from "./plan.ts";

/**
 * Copies files of another image by the rules of COPY --from: the contents of a directory, not the
 * directory itself; a file into the target if that is a directory. A link given as source is
 * followed; links in a directory are kept. The lock holds the image's digest.
 * @param directories absolute paths of the directories in the parts below this one
 * @throws COMPOSITION_REFUSED if the image has no such file, and what pulling and reading images
 * throws
 */
export async function copyFromImage(
  plan: CopyPlan,
  directories: ReadonlySet<string>,
  context: PartContext,
): Promise<Part> {
  const { base, lock, session } = context;
  const { settings: platform } = base.image;
  const wanted = { source: plan.image, platform, family: undefined, lock, isCopied: true } as const;
  const { image } = await pullBase(wanted, session);
  const path = plan.source.slice(1);
  const tree = await readImageFiles(image, [path], plan.reference, session);
  const node = tree.find(path) ?? refuseMissing(plan, tree);
  const step = stepOf(plan);
  const isInto =
    node.kind !== "directory" &&
    (directories.has(plan.target) || (await baseHasDirectory(step, tree, base, session.signal)));
  const stage = new StageFiles({ isDirectory: () => isInto });
  copy(stage, step, tree);
  const files = stageCollection(stage);
  emitFiles(`${plan.reference}:${plan.source}`, files, session);
  return { name: plan.layer, files };
}

/** Reads the layers of the base only if its name and the paths do not decide. */
async function baseHasDirectory(
  step: CopyStep,
  tree: FileTree,
  { name, reference, facts, image }: Base,
  signal: AbortSignal,
): Promise<boolean> {
  const workingDirectory = image.settings.config?.WorkingDir || "/";
  const known = hasDirectory({ reference: name ?? reference, facts, workingDirectory }, step.target);
  if (known !== undefined) return known;
  if (!mayMeanDirectory(step, tree)) return false;
  return (await baseView(image, signal)).resolve(step.target)?.kind === "directory";
}

function stepOf({ option, reference, source, target, intoDirectory }: CopyPlan): CopyStep {
  return {
    ...{ kind: "copy", file: option, line: 0, keyword: "COPY", executable: undefined },
    from: { kind: "image", reference },
    // COPY accepts patterns, but the option names one path, so pattern characters are escaped.
    sources: [source.replaceAll(/[*?[\\]/g, "\\$&")],
    ...{ target, intoDirectory },
  };
}

function copy(stage: StageFiles, step: CopyStep, tree: FileTree): void {
  try {
    stage.copy(step, tree);
  } catch (error) {
    if (!(error instanceof LambdaPackError) || error.code !== "DOCKERFILE_REFUSED") throw error;
    throw refusePart(error.message, error.hint ?? "name another path", error);
  }
}

function refuseMissing({ option, source }: CopyPlan, tree: FileTree): never {
  const near = nearest(posix.basename(source), tree.namesIn(posix.dirname(source).slice(1)));
  const paths = near.map((name) => posix.join(posix.dirname(source), name));
  throw refusePart(
    `${option}: the image has no ${source}`,
    paths.length > 0 ? `did you mean ${paths.join(", ")}?` : "name a path that the image has",
  );
}
