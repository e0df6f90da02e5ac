import type { Architecture, LayerRule } from "../../index.ts";
import type { Flags } from "../command.ts";
import { list, toggle, value } from "../flags.ts";
import { commandWords, layerRule, type Pair, text, variable, whole } from "../values.ts";
import { share } from "./aws-common.ts";
import {
  ARCHITECTURE_FLAG,
  INSTALL_FLAG,
  type Install,
  RULE_FLAGS,
  type RuleFlags,
  TRANSFER_FLAGS,
  type TransferFlags,
} from "./common.ts";

export interface DeployFlags extends TransferFlags, RuleFlags {
  readonly function: readonly string[];
  readonly region: readonly string[];
  readonly repo: string | undefined;
  readonly createRepo: boolean;
  readonly role: string | undefined;
  readonly memory: number | undefined;
  readonly timeout: number | undefined;
  readonly ephemeralStorage: number | undefined;
  readonly env: readonly (Pair | undefined)[];
  readonly entrypoint: readonly (readonly string[])[];
  readonly cmd: readonly (readonly string[])[];
  readonly workdir: string | undefined;
  readonly publish: boolean;
  readonly alias: string | undefined;
  readonly weight: number | undefined;
  readonly warm: boolean;
  readonly recreate: boolean;
  readonly dryRun: boolean;
  readonly base: string | undefined;
  readonly arch: Architecture | undefined;
  readonly handler: string | undefined;
  readonly target: string | undefined;
  readonly layer: readonly LayerRule[];
  readonly exclude: readonly string[];
  readonly ignoreFile: string | undefined;
  readonly install: Install | undefined;
  readonly reuseFrom: string | undefined;
  readonly noCheck: boolean;
  readonly locked: boolean;
}

const { tag, ...TRANSFER } = TRANSFER_FLAGS;

export const DEPLOY_FLAGS: Flags<DeployFlags> = {
  function: list(text, { placeholder: "NAME", required: true, summary: "the function, by name or ARN" }),
  region: list(text, {
    placeholder: "REGION",
    summary: "where the function is; with several the image goes to the repository of each",
    defaultText: "the repository's, AWS_REGION, AWS_DEFAULT_REGION, the profile's",
  }),
  repo: value(text, {
    placeholder: "NAME|URI",
    summary: "where the image goes",
    defaultText: "where it is, else the function's own repository, else one of the function's name",
  }),
  createRepo: toggle("create the repository if it is missing"),
  tag,
  role: value(text, {
    placeholder: "ARN",
    summary: "the execution role; a function that is not there is created with it",
  }),
  memory: value(whole(128, 10_240), { placeholder: "MB", summary: "memory of the function" }),
  timeout: value(whole(1, 900), { placeholder: "SECONDS", summary: "how long a call may take" }),
  ephemeralStorage: value(whole(512, 10_240), { placeholder: "MB", summary: "size of /tmp" }),
  env: list(variable, {
    placeholder: "K=V",
    summary: "a variable of the function, added to those it has; K alone takes today's value",
  }),
  entrypoint: list(commandWords, {
    placeholder: "WORD",
    dashes: true,
    summary: "for this function, in place of the image's ENTRYPOINT",
  }),
  cmd: list(commandWords, {
    placeholder: "WORD",
    dashes: true,
    summary: "for this function, in place of the image's CMD: one image, many handlers",
  }),
  workdir: value(text, { placeholder: "D", summary: "for this function, in place of the image's WORKDIR" }),
  publish: toggle("publish a version"),
  alias: value(text, {
    placeholder: "NAME",
    summary: "move this alias to the new version, which is published",
  }),
  weight: value(share, {
    placeholder: "10%",
    summary: "give the new version only this part of the alias's calls",
    defaultText: "all",
  }),
  warm: toggle("call the new version once, with {}, before the alias moves"),
  recreate: toggle(
    "delete and create again a function whose creation failed, though triggers or permissions are lost with it",
  ),
  dryRun: toggle("change nothing; say what would be done"),
  base: value(text, { placeholder: "BASE", summary: "for a folder: what it is built on, as in build" }),
  arch: {
    ...ARCHITECTURE_FLAG,
    defaultText: "the function's own, else the base's where it has only one, else x86_64",
  },
  handler: value(text, {
    placeholder: "app.handler",
    summary: "for a folder: what Lambda calls",
    defaultText: "found from the usual names",
  }),
  target: value(text, { placeholder: "D", summary: "for a folder: where in the image the files go" }),
  layer: list(layerRule, { placeholder: "NAME=GLOB", summary: "for a folder: a layer cut by hand" }),
  exclude: list(text, { placeholder: "GLOB", summary: "for a folder: leave files out" }),
  ignoreFile: value(text, { placeholder: "F", summary: "for a folder: patterns of files to leave out" }),
  install: INSTALL_FLAG,
  reuseFrom: value(text, {
    placeholder: "IMAGE",
    summary: "for a folder: the earlier image whose layers are reused where they would come out the same",
    defaultText: "the newest in the repository",
  }),
  ...RULE_FLAGS,
  noCheck: toggle("for a folder: deploy the image whatever Lambda's rules say of it"),
  locked: toggle("for a folder: stop where the base's tag is not what was written down"),
  ...TRANSFER,
};
