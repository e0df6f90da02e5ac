import type { Architecture, BuildOptions, LayerRule } from "../../index.ts";
import type { Command, Flags, Words } from "../command.ts";
import { list, readFlags, toggle, value } from "../flags.ts";
import {
  choice,
  commandWords,
  label,
  layerRule,
  type Pair,
  text,
  variable,
  whole,
  wrong,
} from "../values.ts";
import {
  ARCHITECTURE_FLAG,
  INSTALL_FLAG,
  type Install,
  RULE_FLAGS,
  type RuleFlags,
  ruleOptions,
  TRANSFER_FLAGS,
  type TransferFlags,
  transferOptions,
} from "./common.ts";

type Format = NonNullable<BuildOptions["format"]>;

interface BuildFlags extends TransferFlags, RuleFlags {
  readonly base: string | undefined;
  readonly file: string | undefined;
  readonly stage: string | undefined;
  readonly buildArg: readonly (Pair | undefined)[];
  readonly arch: Architecture | undefined;
  readonly handler: string | undefined;
  readonly to: readonly string[];
  readonly env: readonly (Pair | undefined)[];
  readonly label: readonly Pair[];
  readonly entrypoint: readonly (readonly string[])[];
  readonly cmd: readonly (readonly string[])[];
  readonly workdir: string | undefined;
  readonly target: string | undefined;
  readonly layer: readonly LayerRule[];
  readonly exclude: readonly string[];
  readonly ignoreFile: string | undefined;
  readonly format: Format | undefined;
  readonly install: Install | undefined;
  readonly level: number | undefined;
  readonly reuseFrom: string | undefined;
  readonly createRepo: boolean;
  readonly dryRun: boolean;
  readonly noCheck: boolean;
  readonly lock: boolean;
  readonly lockFile: string | undefined;
  readonly updateBase: boolean;
  readonly locked: boolean;
}

const { tag, ...TRANSFER } = TRANSFER_FLAGS;

const FLAGS: Flags<BuildFlags> = {
  base: value(text, {
    placeholder: "BASE",
    summary:
      "python:3.12 (an AWS base), an image reference, oci:DIR[:tag], oci-archive:FILE, docker-archive:FILE or scratch",
  }),
  file: value(text, {
    placeholder: "DOCKERFILE",
    short: "f",
    summary: "do what this Dockerfile says, where that takes no shell (docs/dockerfile.md)",
  }),
  stage: value(text, {
    placeholder: "NAME",
    summary: "the stage of the Dockerfile that becomes the image",
    defaultText: "the last one",
  }),
  buildArg: list(variable, {
    placeholder: "K=V",
    summary: "a value for ARG in the Dockerfile; K alone takes today's value",
  }),
  arch: ARCHITECTURE_FLAG,
  handler: value(text, {
    placeholder: "app.handler",
    summary: "what Lambda calls; becomes CMD",
    defaultText: "found from the usual names",
  }),
  to: list(text, {
    placeholder: "DEST",
    summary:
      "where the image goes: a registry reference, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE",
    defaultText: "oci:.lambda-pack/<name of the folder>",
  }),
  tag,
  env: list(variable, {
    placeholder: "K=V",
    summary: "an environment variable; K alone takes today's value",
  }),
  label: list(label, { placeholder: "K=V", summary: "a label of the image" }),
  entrypoint: list(commandWords, {
    placeholder: "WORD",
    dashes: true,
    summary: "one word of ENTRYPOINT each time, or a JSON array",
    defaultText: "the base's",
  }),
  cmd: list(commandWords, {
    placeholder: "WORD",
    dashes: true,
    summary: "one word of CMD each time, or a JSON array",
    defaultText: "the handler",
  }),
  workdir: value(text, { placeholder: "D", summary: "the working directory", defaultText: "the base's" }),
  target: value(text, {
    placeholder: "D",
    summary: "the folder of the image where the files go",
    defaultText: "the base's WORKDIR, else /var/task",
  }),
  layer: list(layerRule, {
    placeholder: "NAME=GLOB",
    summary: "a layer cut by hand; the first that matches takes the file",
  }),
  exclude: list(text, { placeholder: "GLOB", summary: "leave files out, in .dockerignore syntax" }),
  ignoreFile: value(text, {
    placeholder: "F",
    summary: "patterns of files to leave out",
    defaultText: ".lambdaignore, else .dockerignore",
  }),
  format: value(choice<Format>({ auto: "auto", docker: "docker", oci: "oci" }), {
    placeholder: "auto|docker|oci",
    summary: "media types of the image",
    defaultText: "auto: those of the base",
  }),
  install: INSTALL_FLAG,
  level: value(whole(1, 9), {
    placeholder: "1..9",
    summary: "deflate level: time against bytes",
    defaultText: "4",
  }),
  reuseFrom: value(text, {
    placeholder: "IMAGE",
    summary: "the earlier image whose layers are reused where they would come out the same",
    defaultText: "that with the same tag at the destination, else the newest there",
  }),
  ...TRANSFER,
  createRepo: toggle("create an ECR repository that is missing"),
  dryRun: toggle("everything but the sending"),
  ...RULE_FLAGS,
  noCheck: toggle("send the image whatever Lambda's rules say of it"),
  lock: toggle("write down what the base resolved to; while that file is there it is obeyed"),
  lockFile: value(text, {
    placeholder: "F",
    summary: "where that is written down",
    defaultText: "lambda-pack.lock in the folder",
  }),
  updateBase: toggle("take the base as its tag is now, and write that down"),
  locked: toggle("stop where the base's tag is not what was written down"),
};

export const build: Command = {
  name: "build",
  summary: "build an image from a folder and send it where it goes",
  positionals: [{ name: "dir", summary: "the source folder; default .", required: false, repeatable: false }],
  flags: FLAGS,
  examples: [
    { line: "lambda-pack build --base python:3.12", says: "the folder here, into an OCI layout" },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --install",
      says: "with the packages of app/package-lock.json for Linux on arm64",
    },
    {
      line: "lambda-pack build app --base nodejs:22 --arch arm64 --to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      says: "for Graviton, into Amazon ECR",
    },
  ],
  read: (words, environment) => {
    const flags = readFlags(FLAGS, words, environment);
    if (flags.base === undefined && flags.file === undefined)
      throw wrong("--base is missing", `--base BASE: ${FLAGS.base.summary}`);
    const options = buildOptions(words, flags);
    return (api, context) => api.build({ ...options, ...context });
  },
};

function buildOptions({ positionals }: Words, flags: BuildFlags): BuildOptions {
  return {
    ...transferOptions(flags),
    directory: positionals[0] ?? ".",
    buildArgs: Object.fromEntries(flags.buildArg.filter((pair) => pair !== undefined)),
    env: Object.fromEntries(flags.env.filter((pair) => pair !== undefined)),
    labels: Object.fromEntries(flags.label),
    exclude: flags.exclude,
    dryRun: flags.dryRun,
    ...ruleOptions(flags),
    ...(flags.noCheck && { check: false }),
    ...(flags.lock && { lock: true }),
    ...(flags.updateBase && { updateBase: true }),
    ...(flags.locked && { locked: true }),
    ...(flags.lockFile !== undefined && { lockFile: flags.lockFile }),
    createRepo: flags.createRepo,
    ...(flags.to.length > 0 && { to: flags.to }),
    ...(flags.layer.length > 0 && { layers: flags.layer }),
    ...(flags.entrypoint.length > 0 && { entrypoint: flags.entrypoint.flat() }),
    ...(flags.cmd.length > 0 && { cmd: flags.cmd.flat() }),
    ...single(flags),
  };
}

/** The options that are either given or left to the library's own default. */
function single(flags: BuildFlags): Partial<BuildOptions> {
  return {
    ...(flags.base !== undefined && { base: flags.base }),
    ...(flags.file !== undefined && { file: flags.file }),
    ...(flags.stage !== undefined && { stage: flags.stage }),
    ...(flags.arch !== undefined && { architecture: flags.arch }),
    ...(flags.handler !== undefined && { handler: flags.handler }),
    ...(flags.workdir !== undefined && { workdir: flags.workdir }),
    ...(flags.target !== undefined && { target: flags.target }),
    ...(flags.ignoreFile !== undefined && { ignoreFile: flags.ignoreFile }),
    ...(flags.format !== undefined && { format: flags.format }),
    ...(flags.install !== undefined && { install: flags.install }),
    ...(flags.level !== undefined && { level: flags.level }),
    ...(flags.reuseFrom !== undefined && { reuseFrom: flags.reuseFrom }),
  };
}
