import { inGroup, off, optional, withDefault } from "../../commands/options/read.ts";
import { choice, text } from "../../commands/options/types.ts";

export type Progress = "auto" | "tty" | "plain" | "json" | "none";

/**
 * The options that every command has on the command line, in addition to those of its API function.
 */
export const OUTPUT_OPTIONS = inGroup("Output", {
  json: off("print one JSON object on stdout; errors are JSON on stderr"),
  metadataFile: optional(text, "also write the JSON object to this file", { placeholder: "FILE" }),
  progress: withDefault(
    choice<Progress>(["auto", "tty", "plain", "json", "none"]),
    "auto",
    "how progress is shown on stderr; json is one event per line",
    {
      placeholder: "auto|tty|plain|json|none",
      variable: "LAMBDA_PACK_PROGRESS",
      defaultText: "auto: tty on a terminal, else plain",
    },
  ),
  quiet: off("print only errors on stderr", { short: "q" }),
  verbose: off("print requests, retries and stack traces on stderr"),
  help: off("show help", { short: "h" }),
  version: off("show the version", { short: "v" }),
});

/** An option of the commands that produce one image. */
export const IIDFILE_OPTION = inGroup("Output", {
  iidfile: optional(text, "also write the image's digest, and nothing else, to this file", {
    placeholder: "FILE",
  }),
});

/** The values of {@link OUTPUT_OPTIONS}. */
export interface Output {
  readonly json: boolean;
  readonly metadataFile: string | undefined;
  readonly progress: Progress;
  readonly quiet: boolean;
  readonly verbose: boolean;
}
