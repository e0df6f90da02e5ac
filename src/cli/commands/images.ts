import { writeOutput } from "../../blobs/output-file.ts";
import { DIFF_OPTIONS } from "../../commands/diff/difference.ts";
import { INSPECT_OPTIONS } from "../../commands/inspect/inspection.ts";
import { off, optional } from "../../commands/options/read.ts";
import { text } from "../../commands/options/types.ts";
import { PUSH_OPTIONS } from "../../commands/push/options.ts";
import { misuse } from "../../errors.ts";
import { IIDFILE_OPTION } from "../arguments/output-options.ts";
import { defineCommand } from "../command.ts";
import { DIFFERENCES_FOUND, DONE } from "../exit.ts";
import { titles } from "../report/lines.ts";
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

export const push = defineCommand({
  positionals: [
    { option: "source", name: "source", required: true, repeatable: false },
    { option: "to", name: "dest", required: true, repeatable: true },
  ],
  options: { ...PUSH_OPTIONS, ...IIDFILE_OPTION },
  stopped: "nothing was left half-written",
  examples: [
    {
      line: "lambda-pack push oci:.lambda-pack/app 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1",
      purpose: "push the last build to Amazon ECR",
    },
    { line: "lambda-pack push python:3.12 oci:base", purpose: "copy an AWS base image to a directory" },
  ],
  async run({ source = "", to = [], iidfile: _iidfile, ...options }, { load, context }) {
    const { push: pushImage } = await load();
    return pushImage({ source, to, ...options, ...context });
  },
});

export const diff = defineCommand({
  positionals: [
    { option: "before", name: "before", required: true, repeatable: false },
    { option: "after", name: "after", required: true, repeatable: false },
  ],
  options: { exitCode: off("exit with 3 if the images differ", { group: "Report" }), ...DIFF_OPTIONS },
  examples: [
    {
      line: "lambda-pack diff 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1 oci:.lambda-pack/app --why",
      purpose: "explain which layers changed since the last push",
    },
    { line: "lambda-pack diff oci:a oci:b --exit-code", purpose: "in a script: exit with 3 if they differ" },
  ],
  async run({ before = "", after = "", exitCode, ...options }, { load, context }) {
    const [{ diff: compare }, { differenceText }, { titles }] = await Promise.all([
      load(),
      import("../answers/difference.ts"),
      import("../report/lines.ts"),
    ]);
    const difference = await compare({ before, after, ...options, ...context });
    return {
      text: (columns, stream) => differenceText(difference, columns, titles(stream)),
      json: difference,
      status: exitCode && !difference.same ? DIFFERENCES_FOUND : DONE,
    };
  },
});
