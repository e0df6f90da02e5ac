import type { Architecture, InspectOptions } from "../../index.ts";
import type { Command, Flags, Words } from "../command.ts";
import { readFlags, toggle, value } from "../flags.ts";
import { text } from "../values.ts";
import { ARCHITECTURE_FLAG } from "./common.ts";
import { IMAGE_SUMMARY, READING_FLAGS, type ReadingFlags, readingOptions } from "./reading.ts";

interface InspectFlags extends ReadingFlags {
  readonly arch: Architecture | undefined;
  readonly html: string | undefined;
  readonly noFiles: boolean;
}

const FLAGS: Flags<InspectFlags> = {
  arch: ARCHITECTURE_FLAG,
  html: value(text, {
    placeholder: "FILE",
    summary:
      "write a page with a map of all files too: one file, to be opened in any browser, without a network",
  }),
  noFiles: toggle("only what manifest and config say; no layer is read or fetched"),
  ...READING_FLAGS,
};

export const inspect: Command = {
  name: "inspect",
  summary:
    "what an image is: its config, layers and largest files, and what each layer adds, hides and wastes",
  positionals: [{ name: "source", summary: IMAGE_SUMMARY, required: true, repeatable: false }],
  flags: FLAGS,
  examples: [
    {
      line: "lambda-pack inspect oci:.lambda-pack/app --html app.html",
      says: "what was built, and as a page",
    },
    {
      line: "lambda-pack inspect python:3.12 --no-files",
      says: "config and layers, with three small requests",
    },
  ],
  read: (words, environment) => {
    const flags = readFlags(FLAGS, words, environment);
    const options = inspectOptions(words, flags);
    return async (api, context) => {
      const { answerInspection } = await import("../report/answer-inspection.ts");
      return answerInspection({ ...options, ...context }, flags.html, api);
    };
  },
};

function inspectOptions({ positionals: [source = ""] }: Words, flags: InspectFlags): InspectOptions {
  const { arch, noFiles } = flags;
  return {
    ...readingOptions(flags),
    source,
    files: !noFiles,
    ...(arch !== undefined && { architecture: arch }),
  };
}
