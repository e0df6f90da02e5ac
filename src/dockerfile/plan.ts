import { type LambdaPackError, misuse } from "../errors.ts";
import { evaluateStage } from "./evaluate.ts";
import { joinRefusals, type Note } from "./instructions.ts";
import type { StagePlan } from "./stage.ts";
import { type Dockerfile, findStage, type Stage } from "./stages.ts";

/** The settings in the config of a base image. */
export interface BaseSettings {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly workingDirectory: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

export interface PlanOptions {
  /** The stage that becomes the image; undefined: the last one. */
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /**
   * The settings by the reference in FROM; `scratch` and unknown references have none. undefined:
   * not known yet, so that only instructions which no base makes possible are refused.
   */
  readonly bases: ReadonlyMap<string, BaseSettings> | undefined;
}

/** The steps and settings of a Dockerfile that needs no shell. */
export interface DockerfilePlan {
  /** The stages that the image needs, in the order of the file; the last one becomes the image. */
  readonly stages: readonly StagePlan[];
  readonly notes: readonly Note[];
}

/**
 * Returns the stages that `target` needs, in the order of the file. Others are ignored, as in
 * BuildKit.
 */
export function neededStages({ stages }: Dockerfile, target: string | undefined): readonly Stage[] {
  const last = target === undefined ? stages.at(-1) : findStage(target, stages);
  if (!last)
    throw misuse(
      `the Dockerfile has no stage ${target}`,
      `its stages are ${stages.map(({ name, number }) => name ?? number).join(", ")}`,
    );
  const needed = new Set<Stage>();
  const pending: Stage[] = [last];
  for (let stage = pending.pop(); stage; stage = pending.pop()) {
    if (needed.has(stage)) continue;
    needed.add(stage);
    pending.push(...usedBy(stage, stages));
  }
  return stages.filter((stage) => needed.has(stage));
}

/**
 * Returns the stages that a stage uses. Only earlier ones count: the name of a later stage, or of
 * the stage itself, is an image reference.
 */
function usedBy(stage: Stage, stages: readonly Stage[]): readonly Stage[] {
  const earlier = stages.slice(0, stage.number);
  const names = stage.instructions.flatMap(({ flags }) =>
    flags.flatMap(({ name, value }) => (name === "from" ? [value] : [])),
  );
  const base = stage.base.kind === "stage" ? [stages[stage.base.stage]] : [];
  return [...base, ...names.map((name) => findStage(name, earlier))].flatMap((found) => found ?? []);
}

/**
 * Plans the stages that the image needs, without reading a file or a base.
 * @throws DOCKERFILE_REFUSED with every unsupported line; USAGE for an unknown target
 */
export function planDockerfile(dockerfile: Dockerfile, options: PlanOptions): DockerfilePlan {
  const { errors, ...plan } = evaluateDockerfile(dockerfile, options);
  const error = joinRefusals(errors);
  if (error) throw error;
  return plan;
}

/**
 * Plans like {@link planDockerfile}, but leaves out unsupported lines and returns their errors.
 * @throws USAGE for an unknown target
 */
export function evaluateDockerfile(
  dockerfile: Dockerfile,
  options: PlanOptions,
): DockerfilePlan & { readonly errors: readonly LambdaPackError[] } {
  const needed = neededStages(dockerfile, options.target);
  const plans: StagePlan[] = [];
  const errors: LambdaPackError[] = [];
  const notes: Note[] = [];
  for (const stage of needed) {
    const outcome = evaluateStage(stage, { dockerfile, final: needed.at(-1), plans, ...options });
    plans.push(outcome.plan);
    errors.push(...outcome.errors);
    notes.push(...outcome.notes);
  }
  return { stages: plans, errors, notes: [...notes, ...unusedArguments(dockerfile, options.buildArgs)] };
}

function unusedArguments(
  { stages, declared }: Dockerfile,
  buildArgs: Readonly<Record<string, string>>,
): readonly Note[] {
  const file = stages[0]?.file ?? "Dockerfile";
  return Object.keys(buildArgs)
    .filter((name) => !declared.has(name))
    .map((name) => ({ file, line: 1, message: `--build-arg ${name} has no effect: no ARG declares it` }));
}
