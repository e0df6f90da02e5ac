import { PUSH_OPTIONS } from "../../commands/push/options.ts";
import { IIDFILE_OPTION } from "../arguments/output-options.ts";
import { defineCommand } from "../command.ts";

export const push = defineCommand({
  positionals: [
    { option: "source", name: "source", required: true, repeatable: false },
    { option: "to", name: "dest", required: true, repeatable: true },
  ],
  options: { ...PUSH_OPTIONS, ...IIDFILE_OPTION },
  stopped: "nothing was left half-written",
  examples: [
    {
      line: "lambda-pack push oci:.lambda-pack/app 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      purpose: "push the last build to Amazon ECR",
    },
    { line: "lambda-pack push python:3.12 oci:base", purpose: "copy an AWS base image to a directory" },
  ],
  async run({ source = "", to = [], iidfile: _iidfile, ...options }, { load, context }) {
    const { push: pushImage } = await load();
    return pushImage({ source, to, ...options, ...context });
  },
});
