import { resolve } from "node:path";
import type { Base } from "../../../base/base.ts";
import type { LockPlan } from "../../../base/lock.ts";
import { type AssembleContext, assembleStages } from "../../../dockerfile/assemble.ts";
import { refuse } from "../../../dockerfile/instructions.ts";
import {
  type BaseSettings,
  type DockerfilePlan,
  neededStages,
  planDockerfile,
} from "../../../dockerfile/plan.ts";
import { NOTHING_SET, type StageSettings } from "../../../dockerfile/stage.ts";
import { type FileTree, readContext } from "../../../dockerfile/trees.ts";
import type { Collection } from "../../../layer/collect.ts";
import { compileIgnore } from "../../../layer/ignore/ignore.ts";
import { openRoot, pathWithin } from "../../../layer/source-root.ts";
import type { Session } from "../../../session/session.ts";
import { stageCollection } from "../collect.ts";
import { type BaseImages, hasDirectory, openBases } from "./images.ts";
import { installStep } from "./install.ts";
import type { DockerfileSource } from "./source.ts";

interface CollectContext {
  /** The pulled base of the image. */
  readonly base: Base;
  /** Absolute paths of files that this command writes, which are left out of the context. */
  readonly output: readonly string[];
  readonly lock: LockPlan;
  readonly session: Session;
}

interface DockerfileFiles {
  readonly files: Collection;
  readonly settings: StageSettings;
}

/**
 * Evaluates the instructions of a Dockerfile and collects the files, without packing them.
 * @throws DOCKERFILE_REFUSED, and what pulling images, reading files and installing packages throws
 */
export async function collectDockerfile(
  source: DockerfileSource,
  context: CollectContext,
): Promise<DockerfileFiles> {
  const { output, session } = context;
  const bases = await openBases(source, context);
  const plan = planDockerfile(source.dockerfile, {
    target: source.stage,
    buildArgs: source.buildArgs,
    bases: settingsOf(source, bases),
  });
  for (const { file, line, message } of plan.notes)
    session.emit({ type: "warning", message: `${file}:${line}: ${message}` });
  const files = await session.times.measure("collect", async () => {
    const stage = await assembleStages(plan, assembleContext(source, plan, bases, output, session));
    return stageCollection(stage);
  });
  const { directory } = source;
  session.emit({ type: "files-collected", directory, files: files.count, bytes: files.bytes, leftOut: [] });
  return { files, settings: plan.stages.at(-1)?.settings ?? NOTHING_SET };
}

/**
 * Returns the settings of the bases.
 * @throws DOCKERFILE_REFUSED for a base with ONBUILD instructions, which would have to be run first
 */
function settingsOf(source: DockerfileSource, bases: BaseImages): ReadonlyMap<string, BaseSettings> {
  const settings = new Map<string, BaseSettings>();
  for (const stage of neededStages(source.dockerfile, source.stage)) {
    if (stage.base.kind !== "image") continue;
    const { reference } = stage.base;
    const config = bases.known(reference).image.settings.config ?? {};
    const triggers = config["OnBuild"];
    if (Array.isArray(triggers) && triggers.length > 0)
      throw refuse(stage, `FROM ${reference}: the image has ONBUILD instructions`, "name another base");
    settings.set(reference, {
      env: config.Env ?? [],
      workingDirectory: config.WorkingDir ?? "",
      entrypoint: config.Entrypoint ?? [],
      cmd: config.Cmd ?? [],
    });
  }
  return settings;
}

function assembleContext(
  source: DockerfileSource,
  plan: DockerfilePlan,
  bases: BaseImages,
  output: readonly string[],
  session: Session,
): AssembleContext {
  return {
    context: contextTree(source, plan, output, session),
    baseFiles: (reference) => ({ isDirectory: (path) => hasDirectory(bases.facts(reference), path) }),
    imageFiles: (reference, paths) => bases.files(reference, paths),
    install: (request) => installStep(request, bases, session),
  };
}

function contextTree(
  { directory, ignore }: DockerfileSource,
  { stages }: DockerfilePlan,
  output: readonly string[],
  { signal }: Session,
): FileTree {
  const root = openRoot(directory);
  const own = new Set(output.map((path) => pathWithin(root, resolve(path))));
  const sources = stages.flatMap(({ steps }) =>
    steps.flatMap((step) => (step.kind === "copy" && step.from.kind === "context" ? step.sources : [])),
  );
  return readContext({
    ...{ root, sources, signal },
    ignore: compileIgnore(ignore),
    isAlwaysExcluded: (path) => own.has(path),
  });
}
