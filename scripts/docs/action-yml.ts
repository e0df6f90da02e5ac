import { inputFlags } from "../../action/inputs.ts";
import { type Flag, flagSummary } from "../../src/cli/arguments/flags.ts";

/** Returns action/action.yml, generated from the options of build. */
export async function actionYml(): Promise<string> {
  const flags = await inputFlags();
  return `# Written by scripts/docs/write.ts from the options of build; do not edit.
name: lambda-pack
description: Build and push an AWS Lambda container image without Docker.
inputs:
${input("directory", "the source directory, or functions of lambda-pack.jsonc, one on each line (default: the workspace)")}
${flags.map((flag) => input(flag.name.slice(2), says(flag))).join("\n")}
${input("cache", "true: keep the cache of lambda-pack from job to job, in GitHub's cache")}
${input("args", "more arguments of build, one on each line")}
outputs:
  image:
    description: the image by digest, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:...
  digest:
    description: the digest of the image, sha256:...
  cache-dir:
    description: the cache directory of lambda-pack
runs:
  using: node24
  main: dist/main.js
`;
}

function input(name: string, description: string): string {
  return `  ${name}:\n    description: ${JSON.stringify(description)}`;
}

function says(flag: Flag): string {
  const { kind, alone } = flag.form;
  const text = flagSummary(flag).replace("repeatable", "one on each line");
  if (kind === "switch") return `true: ${text}`;
  return alone === undefined ? text : text.replace("without a value:", "true:");
}
