import type { Architecture, PushOptions } from "../../index.ts";
import type { Command, Flags, Words } from "../command.ts";
import { readFlags } from "../flags.ts";
import { ARCHITECTURE_FLAG, TRANSFER_FLAGS, type TransferFlags, transferOptions } from "./common.ts";

interface PushFlags extends TransferFlags {
  readonly arch: Architecture | undefined;
}

const FLAGS: Flags<PushFlags> = { arch: ARCHITECTURE_FLAG, ...TRANSFER_FLAGS };

export const push: Command = {
  name: "push",
  summary: "copy an image to one destination or several",
  positionals: [
    {
      name: "source",
      summary:
        "a registry reference, python:3.12 and its like, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE",
      required: true,
      repeatable: false,
    },
    {
      name: "dest",
      summary: "a registry reference, oci:DIR[:tag], oci-archive:FILE or docker-archive:FILE",
      required: true,
      repeatable: true,
    },
  ],
  flags: FLAGS,
  examples: [
    {
      line: "lambda-pack push oci:.lambda-pack/app 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      says: "what was built before, into Amazon ECR",
    },
    { line: "lambda-pack push python:3.12 oci:base", says: "an AWS base, into a folder" },
  ],
  read: (words, environment) => {
    const options = pushOptions(words, readFlags(FLAGS, words, environment));
    return (api, context) => api.push({ ...options, ...context });
  },
};

function pushOptions({ positionals: [source = "", ...to] }: Words, flags: PushFlags): PushOptions {
  const { arch } = flags;
  return { ...transferOptions(flags), source, to, ...(arch !== undefined && { architecture: arch }) };
}
