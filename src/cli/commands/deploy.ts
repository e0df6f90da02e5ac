import { DEPLOY_OPTIONS } from "../../commands/deploy/option-table.ts";
import { LambdaPackError } from "../../errors.ts";
import type { DeployError, Deployment } from "../../index.ts";
import { type Answer, defineCommand } from "../command.ts";
import { exitStatus } from "../exit.ts";

export const deploy = defineCommand({
  positionals: [{ option: "source", name: "source", required: true, repeatable: false }],
  options: DEPLOY_OPTIONS,
  examples: [
    {
      line: "lambda-pack deploy app --base python:3.12 --function app --create-repo --role arn:aws:iam::123456789012:role/app",
      says: "from a directory to an Active function, with nothing there before",
    },
    {
      line: "lambda-pack deploy 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v2 --function app --alias live --weight 10% --warm",
      says: "send a tenth of the invocations to the new version, once it has started",
    },
    {
      line: "lambda-pack deploy oci:.lambda-pack/app --function app --region eu-west-1 --region us-east-1 --repo app",
      says: "deploy the same image in two regions",
    },
  ],
  async run({ source = "", function: functions = [], ...options }, { load, context }) {
    const api = await load();
    try {
      const result = await api.deploy({ source, function: functions, ...options, ...context });
      return answerOf(result.deployments, result);
    } catch (error) {
      if (!isDeployError(error)) throw error;
      return {
        ...answerOf(error.deployments, { deployments: error.deployments }),
        status: exitStatus(error),
        error,
      };
    }
  },
});

/** Told by its shape, so that the class is not loaded with everything behind it. */
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
