import assert from "node:assert/strict";
import { type BaseSettings, type DockerfilePlan, planDockerfile } from "../../../src/dockerfile/plan.ts";
import type { CopyStep, InstallStep, StagePlan, Step } from "../../../src/dockerfile/stage.ts";
import { readStages } from "../../../src/dockerfile/stages.ts";

/** What the configs of AWS's base images say, as far as a Dockerfile sees it. */
export const AWS_SETTINGS: BaseSettings = {
  env: ["LANG=en_US.UTF-8", "LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime"],
  workingDirectory: "/var/task",
  entrypoint: ["/lambda-entrypoint.sh"],
  cmd: [],
};

export interface PlanText {
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly platform?: string;
}

/** Plans a Dockerfile in which every image of AWS is known, and every other image has no settings. */
export function planText(
  text: string,
  options: PlanText = {},
): DockerfilePlan & { readonly final: StagePlan } {
  const { target, buildArgs = {}, platform = "linux/amd64" } = options;
  const dockerfile = readStages(text, { file: "Dockerfile", buildArgs, platform });
  const references = dockerfile.stages.flatMap(({ base }) => (base.kind === "image" ? [base.reference] : []));
  const bases = new Map(
    references
      .filter((name) => name.startsWith("public.ecr.aws/lambda/"))
      .map((name) => [name, AWS_SETTINGS]),
  );
  const plan = planDockerfile(dockerfile, { target, buildArgs, bases });
  const final = plan.stages.at(-1);
  assert.ok(final);
  return { ...plan, final };
}

/** A step as one line, to compare. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "copy":
      return describeCopy(step);
    case "install":
      return describeInstall(step);
    case "export":
      return `${step.manager} export ${step.directory} -> ${step.output}${step.dev ? " with dev" : ""}`;
    case "mkdir":
      return `mkdir ${step.path}`;
    case "remove":
      return `rm ${step.path}`;
    case "chmod":
      return `chmod ${step.recursive ? "-R " : ""}${step.mode} ${step.path}`;
  }
}

function describeCopy({ keyword, from, sources, target, intoDirectory, executable }: CopyStep): string {
  const origin =
    from.kind === "stage" ? ` from ${from.stage}` : from.kind === "image" ? ` from ${from.reference}` : "";
  const mode = executable === undefined ? "" : executable ? " 0755" : " 0644";
  return `${keyword}${origin} ${sources.join(" ")} -> ${target}${intoDirectory && target !== "/" ? "/" : ""}${mode}`;
}

function describeInstall({ manager, requirements, packages, directory, target, dev }: InstallStep): string {
  const what = [...requirements.map((path) => `-r ${path}`), ...packages];
  const place = target.kind === "site-packages" ? target.kind : target.path;
  return `${manager} ${what.length > 0 ? what.join(" ") : `lock in ${directory}`} -> ${place}${dev ? " with dev" : ""}`;
}
