import { existsSync } from "node:fs";
import { writeOutput } from "../../blobs/output-file.ts";
import { CONFIG_FILE } from "../../commands/config/config-file.ts";
import { optional, required } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
import { defineCommand } from "../command.ts";

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
