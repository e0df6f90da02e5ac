import { DIFF_OPTIONS } from "../../commands/diff/difference.ts";
import { off } from "../../commands/options/read.ts";
import { defineCommand } from "../command.ts";
import { DIFFERENCES_FOUND, DONE } from "../exit.ts";

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
      import("../report/style.ts"),
    ]);
    const difference = await compare({ before, after, ...options, ...context });
    return {
      text: (columns, stream) => differenceText(difference, columns, titles(stream)),
      json: difference,
      status: exitCode && !difference.same ? DIFFERENCES_FOUND : DONE,
    };
  },
});
