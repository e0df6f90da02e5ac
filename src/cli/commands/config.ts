import { inGroup, off } from "../../commands/options/read.ts";
import { FUNCTION_OPTIONS } from "../arguments/function-options.ts";
import { defineCommand } from "../command.ts";

const { names: NAMES, config: FILE } = FUNCTION_OPTIONS;

export const config = defineCommand({
  positionals: [{ option: "names", name: "name", required: false, repeatable: true }],
  options: {
    names: { ...NAMES, summary: "functions of the file; default all" },
    config: FILE,
    ...inGroup("Configuration file", {
      print: off("print the settings, which is the default"),
    }),
  },
  examples: [
    {
      line: "lambda-pack config --print",
      purpose: "show the settings of every function of lambda-pack.jsonc",
    },
  ],
  async run({ names = [], config: file }, { load, context }) {
    const api = await load();
    const { environment } = context;
    const named = file ?? environment["LAMBDA_PACK_CONFIG"];
    const shown = await api.showConfig({ functions: names, environment, ...(named && { config: named }) });
    return { text: () => `${JSON.stringify(shown, undefined, 2)}\n`, json: shown };
  },
});
