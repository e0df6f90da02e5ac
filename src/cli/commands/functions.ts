import { existsSync } from "node:fs";
import { STATUS_OPTIONS } from "../../commands/aws-options.ts";
import { DEPLOY_OPTIONS } from "../../commands/deploy/options.ts";
import { LambdaPackError, misuse } from "../../errors.ts";
import type { DeployError, Deployment } from "../../index.ts";
import {
  answerFor,
  CHANGED_OPTION,
  FUNCTION_OPTIONS,
  selectionOf,
  withDeployConfig,
  withSummary,
} from "../arguments/function-options.ts";
import { type Answer, defineCommand } from "../command.ts";
import { exitStatus, FAILED } from "../exit.ts";
import { failureJson } from "../failure.ts";

const { source: SOURCE, function: FUNCTION, ...OPTIONS } = DEPLOY_OPTIONS;

export const deploy = defineCommand({
  positionals: [{ option: "names", name: "source|name", required: false, repeatable: true }],
  options: {
    function: { ...FUNCTION, absent: { value: undefined } },
    ...OPTIONS,
    ...FUNCTION_OPTIONS,
    names: withSummary(`${SOURCE.summary}; or functions of lambda-pack.jsonc`),
    ...CHANGED_OPTION,
  },
  stopped: "the same deploy again does the rest",
  examples: [
    {
      line: "lambda-pack deploy app --base python:3.12 --function app --create-repo --role arn:aws:iam::123456789012:role/app",
      purpose: "from a directory to an Active function, with nothing there before",
    },
    {
      line: "lambda-pack deploy 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v2 --function app --alias live --weight 10% --warm",
      purpose: "send a tenth of the invocations to the new version, once it has started",
    },
    {
      line: "lambda-pack deploy oci:.lambda-pack/app --function app --region eu-west-1 --region us-east-1 --repo app",
      purpose: "deploy the same image in two regions",
    },
  ],
  async run({ names, all, config, filterChanged, function: functions, ...options }, { load, context }) {
    const selection = selectionOf({ names, all, config }, functions !== undefined, context.environment);
    if (selection.kind === "functions") {
      const api = await load();
      const asked = {
        config: selection.config,
        functions: selection.functions,
        options,
        ...(filterChanged && { filterChanged }),
      };
      return answerFor(
        api.deployFunctions({ ...asked, ...context }),
        (name, { reference }) => `${name} ${reference}`,
      );
    }
    const { source } = selection;
    if (source === undefined) throw misuse("deploy needs <source>", `add <source>: ${SOURCE.summary}`);
    if (filterChanged)
      throw misuse("--filter-changed has no effect without a configuration file", "leave it out");
    const flags = { ...options, ...(functions !== undefined && { function: functions }) };
    const { function: wanted, ...settings } = await withDeployConfig(selection, flags, context.environment);
    if (wanted === undefined)
      throw misuse(
        "--function is missing",
        /[/\\:.]/.test(source) || existsSync(source)
          ? `add --function NAME: ${FUNCTION.summary}`
          : `to deploy to the function ${source}: lambda-pack deploy DIR|IMAGE --function ${source}`,
      );
    const api = await load();
    try {
      const result = await api.deploy({ source, function: wanted, ...settings, ...context });
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

/** Checks the shape, because importing the class would load the whole command. */
function isDeployError(error: unknown): error is DeployError {
  return error instanceof LambdaPackError && "deployments" in error;
}

function answerOf(deployments: readonly Deployment[], result: object): Answer {
  const arns = deployments.flatMap((one) => (one.how === "failed" ? [] : [`${one.arn}\n`]));
  return { text: () => arns.join(""), json: { ...result, deployments: deployments.map(deploymentJson) } };
}

function deploymentJson(deployment: Deployment): object {
  if (deployment.how !== "failed") return deployment;
  return { ...deployment, error: failureJson(deployment.error) };
}

export const status = defineCommand({
  positionals: [{ option: "function", name: "function", required: true, repeatable: false }],
  options: STATUS_OPTIONS,
  examples: [
    { line: "lambda-pack status app --wait", purpose: "wait until the change in progress has ended" },
  ],
  async run({ function: name = "", ...options }, { load, context }) {
    const [api, { statusText }] = await Promise.all([load(), import("../answers/status.ts")]);
    const result = await api.status({ function: name, ...options, ...context });
    return {
      text: (columns) => statusText(result, columns),
      json: result,
      ...(!result.healthy && { status: FAILED }),
    };
  },
});
