import { existsSync } from "node:fs";
import { writeOutput } from "../../blobs/output-file.ts";
import { CONFIG_FILE } from "../../commands/options/common.ts";
import { inGroup, off, optional, required } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
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

export const importing = defineCommand({
  positionals: [{ option: "file", name: "Dockerfile", required: true, repeatable: false }],
  options: {
    file: required(text, "a Dockerfile, in its build context", { placeholder: "DOCKERFILE" }),
    name: optional(text, "the name of the function", {
      placeholder: "NAME",
      defaultText: "that of the directory",
    }),
  },
  examples: [
    {
      line: "lambda-pack import Dockerfile",
      purpose: `write ${CONFIG_FILE}, and list the lines that cannot be converted`,
    },
  ],
  async run({ file = "Dockerfile", name }, { load }) {
    if (existsSync(CONFIG_FILE))
      throw misuse(`${CONFIG_FILE} exists, and is not replaced`, "move it away first");
    const api = await load();
    const { config, notTaken } = await api.importDockerfile({ file, ...(name !== undefined && { name }) });
    await writeOutput(CONFIG_FILE, `${JSON.stringify(config, undefined, 2)}\n`);
    const missing = notTaken.map((line) => `not taken: ${line}\n`).join("");
    return {
      text: () => `${CONFIG_FILE}\n`,
      json: { file: CONFIG_FILE, config, notTaken },
      annotations: missing,
    };
  },
});
