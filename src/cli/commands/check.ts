import { CHECK_OPTIONS } from "../../commands/check/option-table.ts";
import { defineCommand } from "../command.ts";
import { CHECK_FOUND_ERRORS, DONE } from "../exit.ts";

const { tag: _tag, ...OPTIONS } = CHECK_OPTIONS;

export const check = defineCommand({
  positionals: [{ option: "source", name: "source", required: true, repeatable: false }],
  options: OPTIONS,
  examples: [
    {
      line: "lambda-pack check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      says: "check an image built by any tool",
    },
    {
      line: "lambda-pack check app --base python:3.12 --arch arm64",
      says: "check a directory before it is built",
    },
  ],
  async run({ source = "", ...options }, { load, context }) {
    const [{ check: checkImage }, { annotations, findingsText }] = await Promise.all([
      load(),
      import("../report/findings.ts"),
    ]);
    const result = await checkImage({ source, ...options, ...context });
    return {
      text: (columns, stream) => findingsText(result, columns, stream),
      annotations: annotations(result, context.environment),
      json: result,
      status: result.ok ? DONE : CHECK_FOUND_ERRORS,
    };
  },
});
