import { INSPECT_OPTIONS } from "../../commands/inspect/inspection.ts";
import { optional } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { wrong } from "../arguments/usage.ts";
import { defineCommand } from "../command.ts";

export const inspect = defineCommand({
  positionals: [{ option: "source", name: "source", required: true, repeatable: false }],
  options: {
    html: optional<string>(text, "also write an HTML report, one file for any browser", {
      ...{ placeholder: "FILE", group: "Report" },
    }),
    ...INSPECT_OPTIONS,
  },
  examples: [
    {
      line: "lambda-pack inspect oci:.lambda-pack/app --html app.html",
      says: "inspect the last build and write an HTML report",
    },
    {
      line: "lambda-pack inspect python:3.12 --no-files",
      says: "show config and layers with three small requests",
    },
  ],
  async run({ source = "", html, ...options }, { load, context }) {
    if (html !== undefined && options.files === false)
      throw wrong("--html shows files, and --no-files reads none", "leave out one of them");
    const [api, { answerInspection }] = await Promise.all([load(), import("../report/answer-inspection.ts")]);
    return answerInspection({ source, ...options, ...context }, html, api);
  },
});
