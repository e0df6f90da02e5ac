import { BUILD_OPTIONS } from "../../commands/build/options.ts";
import { misuse } from "../../errors.ts";
import {
  answerFor,
  CHANGED_OPTION,
  FUNCTION_OPTIONS,
  selectionOf,
  withConfig,
} from "../arguments/function-options.ts";
import { IIDFILE_OPTION } from "../arguments/output-options.ts";
import { defineCommand } from "../command.ts";

const { directory: _directory, ...OPTIONS } = BUILD_OPTIONS;

export const build = defineCommand({
  positionals: [{ option: "names", name: "dir|name", required: false, repeatable: true }],
  options: { ...OPTIONS, ...FUNCTION_OPTIONS, ...CHANGED_OPTION, ...IIDFILE_OPTION },
  stopped: "nothing was left half-written",
  examples: [
    {
      line: "lambda-pack build",
      purpose: "build this directory into an OCI layout, on the base detected from its files",
    },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --install",
      purpose: "install the packages of app/package-lock.json for Linux on arm64",
    },
    {
      line: "lambda-pack build --all --filter-changed",
      purpose: "build the functions of lambda-pack.jsonc that changed",
    },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      purpose: "build for Graviton and push to Amazon ECR",
    },
  ],
  async run({ names, all, config, filterChanged, iidfile, ...options }, { load, context }) {
    const isOne = options.base !== undefined || options.file !== undefined;
    const selection = selectionOf({ names, all, config }, isOne, context.environment);
    if (selection.kind === "functions") {
      if (iidfile !== undefined)
        throw misuse(
          "--iidfile is for one image, and a configuration file may have several functions",
          "write --metadata-file FILE: it has the digest of each function",
        );
      const api = await load();
      const { config: file, functions } = selection;
      const asked = { config: file, functions, options, ...(filterChanged && { filterChanged }), ...context };
      return answerFor(api.buildFunctions(asked), (name, { reference }) => `${name} ${reference}`);
    }
    if (filterChanged)
      throw misuse("--filter-changed has no effect without a configuration file", "leave it out");
    const { build: buildImage } = await load();
    const settings = await withConfig(selection, BUILD_OPTIONS, options, context.environment);
    return buildImage({ directory: selection.source ?? ".", ...settings, ...context });
  },
});
