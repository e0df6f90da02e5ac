import type { Architecture, DiffOptions } from "../../index.ts";
import type { Command, Flags, Words } from "../command.ts";
import { DIFFERENCES_FOUND, DONE } from "../exit.ts";
import { readFlags, toggle } from "../flags.ts";
import { ARCHITECTURE_FLAG } from "./common.ts";
import { IMAGE_SUMMARY, READING_FLAGS, type ReadingFlags, readingOptions } from "./reading.ts";

interface DiffFlags extends ReadingFlags {
  readonly arch: Architecture | undefined;
  readonly why: boolean;
  readonly exitCode: boolean;
  readonly noFiles: boolean;
}

const FLAGS: Flags<DiffFlags> = {
  arch: ARCHITECTURE_FLAG,
  why: toggle(
    "say of each layer that is another one, which entries made it so: content, mode, owner, time, order",
  ),
  exitCode: toggle("exit status 3 when the images differ"),
  noFiles: toggle("compare config and layers only; no layer is read or fetched"),
  ...READING_FLAGS,
};

export const diff: Command = {
  name: "diff",
  summary: "what changed from one image to another: config, layers, and files whichever layers they are in",
  positionals: [
    { name: "before", summary: IMAGE_SUMMARY, required: true, repeatable: false },
    { name: "after", summary: "the other one", required: true, repeatable: false },
  ],
  flags: FLAGS,
  examples: [
    {
      line: "lambda-pack diff 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1 oci:.lambda-pack/app --why",
      says: "why layers are sent again, against the build before",
    },
    {
      line: "lambda-pack diff oci:a oci:b --exit-code",
      says: "for scripts: 0 when they are the same image, else 3",
    },
  ],
  read: (words, environment) => {
    const flags = readFlags(FLAGS, words, environment);
    const options = diffOptions(words, flags);
    return async (api, context) => {
      const [{ differenceText }, { titles }] = await Promise.all([
        import("../report/difference.ts"),
        import("../report/style.ts"),
      ]);
      const difference = await api.diff({ ...options, ...context });
      return {
        text: (columns, stream) => differenceText(difference, columns, titles(stream)),
        json: difference,
        status: flags.exitCode && !difference.same ? DIFFERENCES_FOUND : DONE,
      };
    };
  },
};

function diffOptions({ positionals: [before = "", after = ""] }: Words, flags: DiffFlags): DiffOptions {
  const { arch, why, noFiles } = flags;
  return {
    ...readingOptions(flags),
    before,
    after,
    why,
    files: !noFiles,
    ...(arch !== undefined && { architecture: arch }),
  };
}
