import { CHECK_OPTIONS } from "../../commands/check/options.ts";
import { misuse } from "../../errors.ts";
import { FUNCTION_OPTIONS, selectionOf, withConfig, withSummary } from "../arguments/function-options.ts";
import { defineCommand } from "../command.ts";
import { CHECK_FOUND_ERRORS, DONE } from "../exit.ts";

const { source: SOURCE, ...OPTIONS } = CHECK_OPTIONS;

export const check = defineCommand({
  positionals: [{ option: "names", name: "source|name", required: false, repeatable: true }],
  options: {
    ...OPTIONS,
    ...FUNCTION_OPTIONS,
    names: withSummary(`${SOURCE.summary}; or functions of lambda-pack.jsonc`),
  },
  examples: [
    {
      line: "lambda-pack check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      purpose: "check an image built by any tool",
    },
    {
      line: "lambda-pack check app --base python:3.12 --arch arm64",
      purpose: "check a directory before it is built",
    },
  ],
  async run({ names, all, config, ...options }, { load, context }) {
    const isOne = options.base !== undefined || options.file !== undefined;
    const selection = selectionOf({ names, all, config }, isOne, context.environment);
    const [api, { annotations, findingsText }] = await Promise.all([
      load(),
      import("../answers/findings.ts"),
    ]);
    const statusOf = (ok: boolean) => (ok ? DONE : CHECK_FOUND_ERRORS);
    if (selection.kind === "functions") {
      const { config: file, functions } = selection;
      const checked = await api.checkFunctions({ config: file, functions, options, ...context });
      return {
        text: (columns, stream) =>
          checked.functions
            .map(({ name, result }) => `${name}\n${findingsText(result, columns, stream)}`)
            .join("\n"),
        annotations: checked.functions.map(({ result }) => annotations(result, context.environment)).join(""),
        json: {
          ok: checked.ok,
          functions: Object.fromEntries(checked.functions.map(({ name, result }) => [name, result])),
        },
        status: statusOf(checked.ok),
      };
    }
    if (selection.source === undefined)
      throw misuse("check needs <source>", `add <source>: ${SOURCE.summary}`);
    const settings = await withConfig(selection, CHECK_OPTIONS, options, context.environment);
    const result = await api.check({ source: selection.source, ...settings, ...context });
    return {
      text: (columns, stream) => findingsText(result, columns, stream),
      annotations: annotations(result, context.environment),
      json: result,
      status: statusOf(result.ok),
    };
  },
});
