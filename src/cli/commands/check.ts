import type { Architecture, CheckOptions } from "../../index.ts";
import type { Command, Flags, Words } from "../command.ts";
import { CHECK_FOUND_ERRORS, DONE } from "../exit.ts";
import { list, readFlags, toggle, value } from "../flags.ts";
import { commandWords, text } from "../values.ts";
import {
  ARCHITECTURE_FLAG,
  RULE_FLAGS,
  type RuleFlags,
  ruleOptions,
  TRANSFER_FLAGS,
  type TransferFlags,
  transferOptions,
} from "./common.ts";

interface CheckFlags extends Omit<TransferFlags, "tag">, RuleFlags {
  readonly arch: Architecture | undefined;
  readonly base: string | undefined;
  readonly handler: string | undefined;
  readonly entrypoint: readonly (readonly string[])[];
  readonly cmd: readonly (readonly string[])[];
  readonly workdir: string | undefined;
  readonly target: string | undefined;
  readonly exclude: readonly string[];
  readonly ignoreFile: string | undefined;
  readonly askBase: boolean;
}

const { tag: _tag, ...TRANSFER } = TRANSFER_FLAGS;

const FLAGS: Flags<CheckFlags> = {
  arch: ARCHITECTURE_FLAG,
  ...RULE_FLAGS,
  base: value(text, { placeholder: "BASE", summary: "of a folder: what it will be built on, as for build" }),
  handler: value(text, { placeholder: "app.handler", summary: "of a folder: what Lambda calls" }),
  entrypoint: list(commandWords, { placeholder: "WORD", dashes: true, summary: "of a folder: as for build" }),
  cmd: list(commandWords, { placeholder: "WORD", dashes: true, summary: "of a folder: as for build" }),
  workdir: value(text, { placeholder: "D", summary: "of a folder: as for build" }),
  target: value(text, { placeholder: "D", summary: "of a folder: as for build" }),
  exclude: list(text, { placeholder: "GLOB", summary: "of a folder: as for build" }),
  ignoreFile: value(text, { placeholder: "F", summary: "of a folder: as for build" }),
  askBase: toggle(
    "ask the base's registry, whichever the image names, whether its tag still names what the image was built on; done anyway for an image in a registry whose base is AWS's own or beside it, unless offline",
  ),
  ...TRANSFER,
};

export const check: Command = {
  name: "check",
  summary:
    "hold an image, or what a folder would become, to every rule of Lambda's; exit status 3 where an error is found",
  positionals: [
    {
      name: "source",
      summary:
        "a registry reference, oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE, or a folder with --base",
      required: true,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  examples: [
    {
      line: "lambda-pack check 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      says: "an image of any tool's",
    },
    { line: "lambda-pack check app --base python:3.12 --arch arm64", says: "a folder, before it is built" },
  ],
  read: (words, environment) => {
    const options = checkOptions(words, readFlags(FLAGS, words, environment));
    return async (api, context) => {
      const { annotations, findingsText } = await import("../report/findings.ts");
      const result = await api.check({ ...options, ...context });
      return {
        text: (columns, stream) => findingsText(result, columns, stream),
        annotations: annotations(result, context.environment),
        json: result,
        status: result.ok ? DONE : CHECK_FOUND_ERRORS,
      };
    };
  },
};

function checkOptions({ positionals: [source = ""] }: Words, flags: CheckFlags): CheckOptions {
  const { tags: _tags, ...transfer } = transferOptions({ ...flags, tag: [] });
  return {
    ...transfer,
    ...ruleOptions(flags),
    source,
    exclude: flags.exclude,
    ...(flags.askBase && { askBase: true }),
    ...(flags.entrypoint.length > 0 && { entrypoint: flags.entrypoint.flat() }),
    ...(flags.cmd.length > 0 && { cmd: flags.cmd.flat() }),
    ...(flags.arch !== undefined && { architecture: flags.arch }),
    ...(flags.base !== undefined && { base: flags.base }),
    ...(flags.handler !== undefined && { handler: flags.handler }),
    ...(flags.workdir !== undefined && { workdir: flags.workdir }),
    ...(flags.target !== undefined && { target: flags.target }),
    ...(flags.ignoreFile !== undefined && { ignoreFile: flags.ignoreFile }),
  };
}
