import { writeOutput } from "../../blobs/output-file.ts";
import { INSPECT_OPTIONS } from "../../commands/inspect/inspection.ts";
import { optional } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { misuse } from "../../errors.ts";
import { defineCommand } from "../command.ts";
import { titles } from "../report/style.ts";
import { checkDestination } from "../result.ts";

export const inspect = defineCommand({
  positionals: [{ option: "source", name: "source", required: true, repeatable: false }],
  options: {
    html: optional(text, "also write an HTML report, one file for any browser", {
      ...{ placeholder: "FILE", group: "Report" },
    }),
    ...INSPECT_OPTIONS,
  },
  examples: [
    {
      line: "lambda-pack inspect oci:.lambda-pack/app --html app.html",
      purpose: "inspect the last build and write an HTML report",
    },
    {
      line: "lambda-pack inspect python:3.12 --no-files",
      purpose: "show config and layers with three small requests",
    },
  ],
  async run({ source = "", html, ...options }, { load, context }) {
    if (html !== undefined && options.files === false)
      throw misuse("--html shows files, and --no-files reads none", "leave out one of them");
    if (html !== undefined) await checkDestination(html);
    const [api, { inspectionText }] = await Promise.all([load(), import("../answers/inspection.ts")]);
    const inspection = await api.inspect({ source, ...options, ...context });
    if (html !== undefined) {
      await writeOutput(html, await api.inspectionPage(inspection));
      context.onEvent({ type: "file-written", path: html, what: "HTML report" });
    }
    return {
      text: (columns, stream) => inspectionText(inspection, columns, titles(stream)),
      json: inspection,
    };
  },
});
