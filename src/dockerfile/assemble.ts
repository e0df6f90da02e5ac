import { posix } from "node:path";
import type { Entry } from "../tar/entry.ts";
import type { DockerfilePlan } from "./plan.ts";
import {
  type CopyStep,
  type ExportStep,
  type InstallStep,
  rootReference,
  type StagePlan,
  type Step,
} from "./stage.ts";
import { type BaseFiles, StageFiles } from "./stage-files.ts";
import { type FileTree, literalPrefix } from "./trees.ts";

/** An install step with the inputs that it needs. */
export interface InstallRequest {
  readonly step: InstallStep;
  /** The base image of the stage. */
  readonly reference: string;
  /** The current files of the stage, by their paths in the image without a leading slash. */
  readonly files: FileTree;
  /** Requirements files that stand for a lock, by absolute path. */
  readonly exports: ReadonlyMap<string, ExportStep>;
}

/** The sources of a Dockerfile's stages. References are those of FROM and `--from`. */
export interface AssembleContext {
  readonly context: FileTree;
  /** Returns what is known about a base without reading it. */
  baseFiles(reference: string): BaseFiles;
  /**
   * Returns the files of an image at and below these paths; undefined if the image is known to have
   * none.
   */
  imageFiles(reference: string, paths: readonly string[]): Promise<FileTree | undefined>;
  /** Installs packages and returns the files and links, by absolute path. */
  install(request: InstallRequest): Promise<readonly InstalledFile[]>;
}

export interface InstalledFile {
  /** The absolute path in the image. */
  readonly path: string;
  readonly entry: Exclude<Entry, { readonly kind: "directory" }>;
}

/**
 * Runs the steps of all stages, and returns the files that the last one adds to its base.
 * @throws DOCKERFILE_REFUSED, and what reading images and installing throws
 */
export async function assembleStages(
  { stages }: DockerfilePlan,
  context: AssembleContext,
): Promise<StageFiles> {
  const done = new Map<number, StageFiles>();
  let files = new StageFiles(context.baseFiles("scratch"));
  for (const stage of stages) {
    const reference = rootReference(stage, { plans: stages });
    const parent = stage.base.kind === "stage" ? done.get(stage.base.stage) : undefined;
    files = new StageFiles(context.baseFiles(reference), parent);
    const exports = new Map<string, ExportStep>();
    for (const step of stage.steps) await runStep(step, { reference, files, exports, stages, done, context });
    done.set(stage.number, files);
  }
  return files;
}

/** A stage while its steps run. */
interface RunningStage {
  readonly reference: string;
  readonly files: StageFiles;
  readonly exports: Map<string, ExportStep>;
  readonly stages: readonly StagePlan[];
  readonly done: ReadonlyMap<number, StageFiles>;
  readonly context: AssembleContext;
}

async function runStep(step: Step, stage: RunningStage): Promise<void> {
  const { reference, files, exports, context } = stage;
  switch (step.kind) {
    case "copy":
      return copyFiles(step, stage);
    case "install": {
      const installed = await context.install({ step, reference, files: files.tree, exports });
      for (const { path, entry } of installed) files.install(path, entry);
      return;
    }
    case "export":
      exports.set(step.output, step);
      return;
    case "mkdir":
      return files.makeDirectory(step);
    case "chmod":
      return files.changeMode(step);
    case "remove":
      if (!exports.delete(step.path)) files.remove(step);
  }
}

async function copyFiles(step: CopyStep, stage: RunningStage): Promise<void> {
  const { reference, files, context } = stage;
  const from = await treeFor(step, stage);
  const { target } = step;
  if (mayMeanDirectory(step, from) && files.knownDirectory(target) === undefined) {
    const base = await context.imageFiles(reference, [target.slice(1)]);
    files.setDirectory(target, base?.find(target.slice(1))?.kind === "directory");
  }
  files.copy(step, from);
}

async function treeFor(
  { from, sources }: CopyStep,
  { stages, done, context }: RunningStage,
): Promise<FileTree> {
  if (from.kind === "context") return context.context;
  const paths = sources.map(literalPrefix);
  if (from.kind === "image") return (await context.imageFiles(from.reference, paths)) ?? EMPTY;
  const upper = done.get(from.stage)?.tree ?? EMPTY;
  const stage = stages.find(({ number }) => number === from.stage);
  const reference = stage ? rootReference(stage, { plans: stages }) : "scratch";
  const lower = await context.imageFiles(reference, paths);
  return lower ? overlaid(upper, lower) : upper;
}

/**
 * Returns whether the result depends on the target being a directory in the base. It does not for
 * directories, whose contents are copied, nor if the target has the same name or extension as its
 * only source.
 */
export function mayMeanDirectory({ intoDirectory, sources, target }: CopyStep, from: FileTree): boolean {
  const [source = "", ...more] = sources;
  if (intoDirectory) return false;
  if (more.length > 0) return true;
  if (from.find(literalPrefix(source))?.kind === "directory" && literalPrefix(source) === cleanPath(source))
    return false;
  const [name, wanted] = [posix.basename(source), posix.basename(target)];
  const extension = posix.extname(name);
  return name !== wanted && (extension === "" || posix.extname(wanted) !== extension);
}

function cleanPath(source: string): string {
  return posix.resolve("/", source).slice(1);
}

const EMPTY: FileTree = { find: () => undefined, namesIn: () => [] };

/** Combines two trees like layers of an image, `upper` over `lower`. */
function overlaid(upper: FileTree, lower: FileTree): FileTree {
  const isHidden = (path: string): boolean => {
    for (let above = posix.dirname(path); above !== "."; above = posix.dirname(above)) {
      const node = upper.find(above);
      if (node) return node.kind !== "directory";
    }
    return false;
  };
  const below = (path: string) => (isHidden(path) ? undefined : lower.find(path));
  return {
    find: (path) => upper.find(path) ?? below(path),
    namesIn(path) {
      const names = below(path)?.kind === "directory" ? lower.namesIn(path) : [];
      return new Set([...upper.namesIn(path), ...names]);
    },
  };
}
