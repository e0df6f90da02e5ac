import { STATUS_OPTIONS } from "../../../commands/status-options.ts";
import { defineCommand } from "../../command.ts";
import { FAILED } from "../../exit.ts";

export const status = defineCommand({
  positionals: [{ option: "function", name: "function", required: true, repeatable: false }],
  options: STATUS_OPTIONS,
  examples: [
    { line: "lambda-pack status app --wait", purpose: "wait until the change in progress has ended" },
  ],
  async run({ function: name = "", ...options }, { load, context }) {
    const [api, { statusText }] = await Promise.all([load(), import("../../answers/status.ts")]);
    const result = await api.status({ function: name, ...options, ...context });
    return {
      text: (columns) => statusText(result, columns),
      json: result,
      ...(!result.healthy && { status: FAILED }),
    };
  },
});
