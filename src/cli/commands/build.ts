import { BUILD_OPTIONS } from "../../commands/build/options.ts";
import { defineCommand } from "../command.ts";
import { wrong } from "../usage.ts";

export const build = defineCommand({
  positionals: [{ option: "directory", name: "dir", required: false, repeatable: false }],
  options: BUILD_OPTIONS,
  examples: [
    { line: "lambda-pack build --base python:3.12", says: "build this directory into an OCI layout" },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --install",
      says: "install the packages of app/package-lock.json for Linux on arm64",
    },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      says: "build for Graviton and push to Amazon ECR",
    },
  ],
  async run({ directory = ".", ...options }, { load, context }) {
    if (options.base === undefined && options.file === undefined && !context.environment["LAMBDA_PACK_BASE"])
      throw wrong("--base is missing", `add --base BASE: ${BUILD_OPTIONS.base.summary}`);
    const { build: buildImage } = await load();
    return buildImage({ directory, ...options, ...context });
  },
});
