import { LambdaPackError } from "../../errors.ts";
import type { DeployError, Deployment, DeployOptions } from "../../index.ts";
import type { Answer, Command, Words } from "../command.ts";
import { exitStatus } from "../exit.ts";
import { readFlags } from "../flags.ts";
import { ruleOptions, transferOptions } from "./common.ts";
import { DEPLOY_FLAGS, type DeployFlags } from "./deploy-flags.ts";

export const deploy: Command = {
  name: "deploy",
  summary: "bring functions to an image, by digest: build, push, create or update, wait until Active",
  positionals: [
    {
      name: "image|dir",
      summary:
        "a folder (with --base), an image reference, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE",
      required: true,
      repeatable: false,
    },
  ],
  flags: DEPLOY_FLAGS,
  examples: [
    {
      line: "lambda-pack deploy app --base python:3.12 --function app --create-repo --role arn:aws:iam::123456789012:role/app",
      says: "from a folder to an Active function, with nothing there before",
    },
    {
      line: "lambda-pack deploy 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v2 --function app --alias live --weight 10% --warm",
      says: "a tenth of the calls goes to the new version, once it has started",
    },
    {
      line: "lambda-pack deploy oci:.lambda-pack/app --function app --region eu-west-1 --region us-east-1 --repo app",
      says: "the same image in two regions",
    },
  ],
  read: (words, environment) => {
    const options = deployOptions(words, readFlags(DEPLOY_FLAGS, words, environment));
    return async (api, context) => {
      try {
        const result = await api.deploy({ ...options, ...context });
        return answerOf(result.deployments, result);
      } catch (error) {
        if (!isDeployError(error)) throw error;
        return {
          ...answerOf(error.deployments, { deployments: error.deployments }),
          status: exitStatus(error),
          error,
        };
      }
    };
  },
};

/** By its shape: the class itself would load all of the library. */
function isDeployError(error: unknown): error is DeployError {
  return error instanceof LambdaPackError && "deployments" in error;
}

function answerOf(deployments: readonly Deployment[], result: object): Answer {
  const arns = deployments.flatMap((one) => (one.how === "failed" ? [] : [`${one.arn}\n`]));
  return { text: () => arns.join(""), json: { ...result, deployments: deployments.map(deploymentJson) } };
}

function deploymentJson(deployment: Deployment): object {
  if (deployment.how !== "failed") return deployment;
  const { code, message, hint } = deployment.error;
  return { ...deployment, error: { code, message, hint } };
}

function deployOptions({ positionals: [image = ""] }: Words, flags: DeployFlags): DeployOptions {
  return {
    ...transferOptions(flags),
    image,
    function: flags.function,
    exclude: flags.exclude,
    createRepo: flags.createRepo,
    publish: flags.publish,
    warm: flags.warm,
    ...(flags.recreate && { recreate: true }),
    dryRun: flags.dryRun,
    ...(flags.region.length > 0 && { region: flags.region }),
    ...(flags.layer.length > 0 && { layers: flags.layer }),
    ...functionOptions(flags),
    ...ruleOptions(flags),
    ...(flags.noCheck && { check: false }),
    ...(flags.locked && { locked: true }),
    ...given({
      base: flags.base,
      architecture: flags.arch,
      handler: flags.handler,
      target: flags.target,
      ignoreFile: flags.ignoreFile,
      install: flags.install,
      reuseFrom: flags.reuseFrom,
      repo: flags.repo,
      alias: flags.alias,
      weight: flags.weight,
    }),
  };
}

function functionOptions(flags: DeployFlags): Partial<DeployOptions> {
  return {
    env: Object.fromEntries(flags.env.filter((pair) => pair !== undefined)),
    ...(flags.entrypoint.length > 0 && { entrypoint: flags.entrypoint.flat() }),
    ...(flags.cmd.length > 0 && { cmd: flags.cmd.flat() }),
    ...given({
      role: flags.role,
      memory: flags.memory,
      timeout: flags.timeout,
      ephemeralStorage: flags.ephemeralStorage,
      workdir: flags.workdir,
    }),
  };
}

/** Without what is undefined: it is left to the library's own default. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Only the entries that are undefined have gone.
  return Object.fromEntries(Object.entries(options).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
